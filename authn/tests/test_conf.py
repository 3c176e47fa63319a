from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from authn import conf
from authn.conf import AuthnConfig, get_verifier
from authn.exceptions import NotConfigured, TokenExpired
from authn.mistakes import mistakes_in
from authn.settings import DEFAULTS
from authn.testing import Clock, Mint
from authn.verifier import TokenVerifier

PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"


def configure(settings: Settings, **values: Any) -> AuthnConfig:
    """Return the configuration with these ``BETTER_AUTH_*`` settings and no secret."""
    settings.BETTER_AUTH_SECRET = ""
    for name, value in values.items():
        setattr(settings, f"BETTER_AUTH_{name}", value)
    return AuthnConfig()


@pytest.mark.parametrize(
    ("url", "issuer", "path"),
    [
        ("https://app.example.com", "https://app.example.com", "/api/auth/jwks"),
        ("https://App.Example.com:443/x/", "https://app.example.com", "/x/jwks"),
        ("http://localhost:3000", "http://localhost:3000", "/api/auth/jwks"),
    ],
)
def test_issuer_audience_and_key_set_follow_from_the_url(
    settings: Settings, url: str, issuer: str, path: str
) -> None:
    config = configure(settings, URL=url)
    assert config.expected_issuer == issuer
    assert config.expected_audience == {issuer}
    assert config.key_set_url == issuer + path
    assert list(mistakes_in(config)) == []


def test_each_derived_value_can_be_overridden(settings: Settings) -> None:
    config = configure(
        settings,
        URL="https://app.example.com",
        JWKS_URL="https://keys.example.com/jwks",
        ISSUER="app",
        AUDIENCE=["todos", "api"],
        ALGORITHMS=["Ed25519", "ES256"],
    )
    assert config.key_set_url == "https://keys.example.com/jwks"
    assert config.expected_issuer == "app"
    assert config.expected_audience == {"todos", "api"}
    assert config.key_set_algorithms == {"EdDSA", "ES256"}


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, ["authn.E001"]),
        ({"SECRET": "x" * 32}, []),
        ({"SECRET": "x" * 31}, ["authn.E003"]),
        ({"SECRET": "better-auth-secret-12345678901234567890"}, ["authn.E002"]),
        ({"SECRET": "\udcff" * 32}, []),  # bytes of the environment that are not UTF-8
        ({"SECRET": "é" * 16}, []),  # 32 bytes in 16 characters
        ({"SECRET": PEM}, ["authn.E003"]),
        ({"SECRET": '{"kty":"oct","k":"c2VjcmV0IHNlY3JldCBzZWNyZXQ"}'}, ["authn.E003"]),
        ({"URL": "https://app.example.com"}, []),
        ({"URL": "app.example.com"}, ["authn.E004", "authn.E008"]),
        ({"URL": "https://app.example.com?x=y"}, ["authn.E004"]),
        ({"URL": "app.example.com", "SECRET": "x" * 32, "ALGORITHMS": ["HS256"]}, ["authn.E004"]),
        ({"URL": "https://a.example", "JWKS_URL": "a.example/jwks"}, ["authn.E004"]),
        ({"URL": "https://a.example", "JWKS_URL": "https://a.example/jwks?x=y"}, []),
        ({"URL": "http://app.example.com"}, ["authn.E005"]),
        ({"URL": "http://localhost:3000"}, []),
        ({"JWKS_URL": "https://app.example.com/jwks"}, ["authn.E008"]),
        ({"JWKS_URL": "https://a.example/jwks", "ISSUER": "i", "AUDIENCE": ["a"]}, []),
        ({"JWKS_URL": "https://a.example/jwks", "ISSUER": "i"}, ["authn.E008"]),
        ({"JWKS_URL": "https://a.example/jwks", "AUDIENCE": ["a"]}, ["authn.E008"]),
        ({"URL": "https://a.example", "ALGORITHMS": ["ES256"]}, []),
        ({"URL": "https://a.example", "ALGORITHMS": ["none", "ES256"]}, ["authn.E006"]),
        ({"URL": "https://a.example", "ALGORITHMS": ["HS256"]}, ["authn.E001"]),
        ({"SECRET": "x" * 32, "ALGORITHMS": ["HS256"]}, []),
        # A shared .env may hold a secret that only Better Auth uses.
        ({"URL": "https://a.example", "SECRET": "short", "ALGORITHMS": ["EdDSA"]}, []),
        ({"SECRET": "x" * 32, "LEEWAY": -1}, ["authn.E007"]),
        ({"SECRET": "x" * 32, "LEEWAY": 301}, ["authn.E007"]),
        ({"SECRET": "x" * 32, "LEEWAY": 0}, []),
        ({"SECRET": "x" * 32, "LEEWAY": 300}, []),
        ({"SECRETS": f"2:{'n' * 32},1:{'o' * 32}"}, []),
        ({"SECRETS": f"2:{'n' * 32},1:short"}, ["authn.E003"]),
        ({"SECRETS": "1:better-auth-secret-12345678901234567890"}, ["authn.E002"]),
        ({"SECRETS": "x" * 32}, ["authn.E013"]),
        ({"SECRET": "x" * 32, "REALM": ""}, []),
        ({"SECRET": "x" * 32, "REALM": "todos of the day"}, []),
        ({"SECRET": "x" * 32, "REALM": 'to"dos'}, ["authn.E014"]),
        ({"SECRET": "x" * 32, "REALM": "to\\dos"}, ["authn.E014"]),
        ({"SECRET": "x" * 32, "REALM": "todos\r\nX: y"}, ["authn.E014"]),
        ({"SECRET": "x" * 32, "USER_RESOLVER": "authn.users.TokenUser.nope"}, ["authn.E017"]),
        ({"SECRET": "x" * 32, "USER_RESOLVER": "nope"}, ["authn.E017"]),
        ({"SECRET": "x" * 32, "USER_RESOLVER": ".users.user_of"}, ["authn.E017"]),
        ({"SECRET": "x" * 32, "USER_RESOLVER": "."}, ["authn.E017"]),
        ({"SECRET": "x" * 32, "USER_RESOLVER": "authn.claims.MAX_NUMERIC_DATE"}, ["authn.E017"]),
    ],
    ids=repr,
)
def test_a_mistake_fails_the_checks_and_every_verification(
    settings: Settings, values: dict[str, Any], ids: list[str]
) -> None:
    configure(settings, **values)
    messages = [m for m in run_checks(databases=[]) if m.id and m.id.startswith("authn.")]
    assert sorted(str(message.id) for message in messages) == ids
    assert all(message.hint for message in messages)
    if ids:
        with pytest.raises(NotConfigured):
            get_verifier()
    else:
        assert get_verifier()


@pytest.mark.parametrize("name", ["DEBUG", "BETTER_AUTH_ALLOW_HTTP"])
def test_plain_http_needs_debug_or_allow_http(settings: Settings, name: str) -> None:
    values = {"URL": "http://app.example.com"}
    assert [mistake.id for mistake in mistakes_in(configure(settings, **values))] == ["authn.E005"]
    setattr(settings, name, True)
    assert list(mistakes_in(configure(settings, **values))) == []
    assert get_verifier()


@pytest.mark.parametrize("name", ["URL", "JWKS_URL"])
def test_an_invalid_url_is_named_by_its_variable_and_not_shown(
    settings: Settings, name: str
) -> None:
    values = {"URL": "https://a.example", name: "https://user:hunter2@app.example.com"}
    (mistake,) = [m for m in mistakes_in(configure(settings, **values)) if m.id == "authn.E004"]
    assert f"BETTER_AUTH_{name} is not" in mistake.msg
    assert "hunter2" not in f"{mistake.msg} {mistake.hint}"


def test_a_mistake_does_not_show_the_secret(settings: Settings) -> None:
    config = configure(settings, SECRET="hunter2")
    assert "hunter2" not in " ".join(f"{m.msg} {m.hint}" for m in mistakes_in(config))


def test_the_secret_has_the_bytes_of_the_environment(settings: Settings) -> None:
    assert configure(settings, SECRET="Ü\udcff").secrets == (b"\xc3\x9c\xff",)


@pytest.mark.parametrize(
    ("resource", "values", "ids"),
    [
        ("https://api.example.com/v1", {"URL": "https://a.example"}, []),
        ("api.example.com", {"URL": "https://a.example"}, ["authn.E015"]),
        ("https://api.example.com?x=y", {"URL": "https://a.example"}, ["authn.E015"]),
        ("https://api.example.com#x", {"URL": "https://a.example"}, ["authn.E015"]),
        ("https://api.example.com/#", {"URL": "https://a.example"}, ["authn.E015"]),
        (" https://api.example.com", {"URL": "https://a.example"}, ["authn.E015"]),
        ("https://api.exam\nple.com", {"URL": "https://a.example"}, ["authn.E015"]),
        ("https://api.example.com", {"SECRET": "x" * 32}, ["authn.E016"]),
        (
            "https://api.example.com",
            {"URL": "https://a.example", "SECRET": "x" * 32, "ALGORITHMS": ["HS256"]},
            ["authn.E016"],
        ),
    ],
    ids=repr,
)
def test_a_resource_needs_a_url_and_a_key_set(
    settings: Settings, resource: str, values: dict[str, Any], ids: list[str]
) -> None:
    settings.OAUTH_RESOURCE = resource
    assert [mistake.id for mistake in mistakes_in(configure(settings, **values))] == ids


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BETTER_AUTH_URL", "https://app.example.com"),
        ("BETTER_AUTH_SECRET", "x" * 32),
        ("BETTER_AUTH_SECRETS", f"1:{'x' * 32}"),
    ],
)
def test_one_setting_is_enough(settings: Settings, name: str, value: str) -> None:
    for each in DEFAULTS:
        delattr(settings, each)
    with pytest.raises(NotConfigured):
        get_verifier()
    setattr(settings, name, value)
    assert get_verifier()


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("BETTER_AUTH_AUDIENCE", "todos", "a list of strings"),
        ("BETTER_AUTH_AUDIENCE", [b"todos"], "a list of strings"),
        ("BETTER_AUTH_ALGORITHMS", "EdDSA", "a list of strings"),
        ("BETTER_AUTH_ALGORITHMS", None, "a list of strings"),
        ("BETTER_AUTH_URL", None, "a string"),
        ("BETTER_AUTH_URL", ["https://app.example.com"], "a string"),
        ("BETTER_AUTH_SECRET", b"x" * 32, "a string"),
        ("BETTER_AUTH_SECRETS", ["1:old"], "a string"),
        ("BETTER_AUTH_ALLOW_HTTP", "False", "True or False"),
        ("BETTER_AUTH_ALLOW_HTTP", 1, "True or False"),
        ("BETTER_AUTH_LEEWAY", "30", "a number"),
        ("BETTER_AUTH_LEEWAY", True, "a number"),
        ("BETTER_AUTH_USER_RESOLVER", len, "a string"),
        ("OAUTH_RESOURCE", ["https://api.example.com"], "a string"),
    ],
    ids=repr,
)
def test_a_wrong_type_is_named_and_verifies_nothing(
    settings: Settings, name: str, value: Any, wanted: str
) -> None:
    setattr(settings, name, value)
    messages = [m for m in run_checks(databases=[]) if m.id and m.id.startswith("authn.")]
    assert [(m.id, m.msg) for m in messages] == [("authn.E012", f"{name} is not {wanted}.")]
    with pytest.raises(NotConfigured, match=name):
        get_verifier()


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({"AUDIENCE": "todos"}, "Write BETTER_AUTH_AUDIENCE = ['todos']."),
        ({"AUDIENCE": ""}, "Set BETTER_AUTH_AUDIENCE to a list of strings"),
        ({"AUDIENCE": None}, "Set BETTER_AUTH_AUDIENCE to a list of strings"),
        ({"SECRET": "x" * 31}, "shorter than 32 bytes."),
        ({"SECRET": PEM}, "is a key file."),
        ({"SECRETS": f"2:{'n' * 32},1:{PEM}"}, "is a key file."),
        ({"URL": "app.example.com"}, "Begin it with https://. Write it like"),
        ({"JWKS_URL": "localhost:3000/jwks"}, "Begin it with https://. Write it like"),
    ],
    ids=repr,
)
def test_a_mistake_says_what_to_write(
    settings: Settings, values: dict[str, Any], advice: str
) -> None:
    mistake = next(mistakes_in(configure(settings, **values)))
    assert advice in f"{mistake.msg} {mistake.hint}"


@pytest.mark.parametrize("url", ["HTTPS://a.example/a b", "http://a.example/?x=y"])
def test_a_wrong_url_with_a_scheme_needs_no_other(settings: Settings, url: str) -> None:
    mistake = next(mistakes_in(configure(settings, URL=url)))
    assert (mistake.id, "Begin" in str(mistake.hint)) == ("authn.E004", False)


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_a_list_may_be_any_collection(settings: Settings, kind: Callable[..., Any]) -> None:
    config = configure(settings, URL="https://app.example.com", AUDIENCE=kind(["a", "b"]))
    assert not [*mistakes_in(config)]
    assert config.expected_audience == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "value", "rebuilt"),
    [("BETTER_AUTH_LEEWAY", 5, True), ("DEBUG", True, True), ("APPEND_SLASH", True, False)],
)
def test_only_an_overridden_setting_of_authn_builds_another_verifier(
    settings: Settings, name: str, value: object, rebuilt: bool
) -> None:
    first = get_verifier()
    assert get_verifier() is first
    setattr(settings, name, value)
    assert (get_verifier() is not first) is rebuilt


def test_concurrent_first_requests_build_one_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[bool] = []
    everyone = Barrier(4)

    def build(*args: Any, **options: Any) -> TokenVerifier:
        builds.append(conf._building.locked())
        with suppress(BrokenBarrierError):
            everyone.wait(0.05)  # meets the others only if they build too
        return TokenVerifier(*args, **options)

    monkeypatch.setattr(conf, "TokenVerifier", build)
    with ThreadPoolExecutor(4) as pool:
        verifiers = list(pool.map(lambda _: get_verifier(), range(8)))
    assert builds == [True]
    assert all(each is verifiers[0] for each in verifiers)


@pytest.mark.parametrize(
    ("values", "issuer", "required"),
    [
        ({"SECRET": "x" * 32}, None, False),  # an empty issuer would match an empty `iss`
        ({"SECRET": "x" * 32, "ISSUER": "i", "AUDIENCE": ["a"]}, "i", True),
        ({"URL": "https://a.example"}, "https://a.example", True),
    ],
    ids=["secret", "secret and explicit claims", "key set"],
)
def test_a_key_set_and_explicit_settings_require_iss_and_aud(
    settings: Settings, values: dict[str, Any], issuer: str | None, required: bool
) -> None:
    (trust,) = configure(settings, **values).trusts()
    assert trust.policy.issuer == issuer
    assert trust.policy.issuer_required is trust.policy.audience_required is required


def test_the_leeway_comes_from_the_settings(settings: Settings, mint: Mint, clock: Clock) -> None:
    token = mint(exp=clock.now)
    settings.BETTER_AUTH_LEEWAY = 10
    clock.advance(9.999)
    assert get_verifier().verify(token)
    settings.BETTER_AUTH_LEEWAY = 9
    with pytest.raises(TokenExpired):
        get_verifier().verify(token)
