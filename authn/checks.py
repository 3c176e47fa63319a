"""System checks of the settings, of DRF's authenticators, and of the installation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from authn.conf import AuthnConfig
from authn.exceptions import KeySetInvalid
from authn.fetching import proxy_for
from authn.mistakes import mistakes_in, unreadable_values
from authn.origins import is_plain_http, split_url
from authn.settings import DEFAULTS, setting

DISTRIBUTION = "drf-better-auth"


@checks.register(checks.Tags.security)
def check_configuration(**_: Any) -> list[checks.CheckMessage]:
    config = AuthnConfig()
    messages: list[checks.CheckMessage] = [*mistakes_in(config)]
    if any(unreadable_values()):
        return messages
    parts = split_url(config.key_set_url)
    if parts and config.key_set_algorithms:
        try:
            proxy_for(parts)
        except KeySetInvalid as reason:
            messages.append(
                checks.Error(
                    f"The key set cannot be fetched: {reason}.",
                    hint="Name a proxy like http://proxy.example.com:3128, or name the issuer in "
                    "NO_PROXY.",
                    id="authn.E011",
                )
            )
    return messages


@checks.register(checks.Tags.security, deploy=True)
def check_plain_http(**_: Any) -> list[checks.CheckMessage]:
    config = AuthnConfig()
    messages: list[checks.CheckMessage] = []
    if any(unreadable_values()):
        return messages
    if is_plain_http(config.expected_issuer):
        messages.append(
            checks.Warning(
                f"The issuer is {config.expected_issuer}: over http, anyone on the network path "
                "can read the tokens that it issues.",
                hint="Serve Better Auth over https, with an https URL in its baseURL and in "
                "BETTER_AUTH_URL or BETTER_AUTH_ISSUER.",
                id="authn.W009",
            )
        )
    if (
        config.key_set_algorithms
        and config.plain_http_allowed
        and is_plain_http(config.key_set_url)
    ):
        switch = "BETTER_AUTH_ALLOW_HTTP" if setting("BETTER_AUTH_ALLOW_HTTP") else "DEBUG"
        messages.append(
            checks.Warning(
                "The key set is fetched over http: anyone on the network path can replace the "
                "keys, and then sign in as any user.",
                hint=f"Use https and turn {switch} off, unless a private network joins this "
                "server and the issuer.",
                id="authn.W010",
            )
        )
    return messages


@checks.register(checks.Tags.security)
def check_names(**_: Any) -> list[checks.CheckMessage]:
    """Warn of settings that are probably misspelt: no part of this package reads them."""
    unknown = {name for name in dir(settings) if name.startswith("BETTER_AUTH_")} - {*DEFAULTS}
    return [
        checks.Warning(
            f"{name} is no setting of authn, so it has no effect.",
            hint=f"Did you mean {get_close_matches(name, DEFAULTS, n=1, cutoff=0)[0]}?",
            id="authn.W018",
        )
        for name in sorted(unknown)
    ]


@checks.register(checks.Tags.security)
def check_first_authenticator(**_: Any) -> list[checks.CheckMessage]:
    """Warn if DRF answers 403 in place of 401. A project without DRF does not import it here."""
    classes = (getattr(settings, "REST_FRAMEWORK", None) or {}).get(
        "DEFAULT_AUTHENTICATION_CLASSES", ()
    )
    if len(classes) < 2:
        return []
    first, *others = _is_of_this_package(classes)
    if first or not any(others):
        return []
    return [
        checks.Warning(
            "JWTAuthentication is not the first of DEFAULT_AUTHENTICATION_CLASSES: a client whose "
            "token is missing or refused may get 403, and no Bearer challenge.",
            hint="Put it first. DRF takes the challenge of a 401 from the first class, and answers "
            "403 if that class has none, like SessionAuthentication.",
            id="authn.W019",
        )
    ]


def _is_of_this_package(classes: Iterable[Any]) -> Iterator[bool]:
    from authn.authentication import JWTAuthentication

    for each in classes:
        try:
            found = import_string(each) if isinstance(each, str) else each
        except ImportError:  # DRF says so, at the first request
            found = None
        yield isinstance(found, type) and issubclass(found, JWTAuthentication)


@checks.register(checks.Tags.security)
def check_distributions(**_: Any) -> list[checks.CheckMessage]:
    """Refuse another distribution that installs a package of the same name, as one of PyPI does.

    Used from a checkout, this package has its own folder.
    """
    try:
        installed = distribution(DISTRIBUTION).locate_file("authn/checks.py")
    except PackageNotFoundError:
        return []
    others = sorted({*packages_distributions().get("authn", ())} - {DISTRIBUTION})
    if Path(str(installed)) != Path(__file__) or not others:
        return []
    names = " ".join(others)
    return [
        checks.Error(
            f"{', '.join(others)} installs a package authn, like {DISTRIBUTION}: the files of one "
            "have replaced files of the other.",
            hint=f"pip uninstall {names}, then pip install --force-reinstall {DISTRIBUTION}.",
            id="authn.E020",
        )
    ]
