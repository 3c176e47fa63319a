from __future__ import annotations

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
    assert configure(settings, SECRET="Ü\udcff").secret == b"\xc3\x9c\xff"


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
