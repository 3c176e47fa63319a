from __future__ import annotations

import pytest
from pytest_django import Settings

from authn import verify
from authn.exceptions import SignatureInvalid
from authn.minting import mint
from authn.secrets import versioned_secrets
from authn.testing import Clock, SecretIssuer

OLD, NEW, OTHER = "old-" * 8, "new-" * 8, "other-" * 6


@pytest.fixture
def _two_secrets(settings: Settings) -> None:
    settings.BETTER_AUTH_SECRET = ""
    settings.BETTER_AUTH_SECRETS = f"2:{NEW},1:{OLD}"


def signed_with(secret: str, clock: Clock) -> str:
    return SecretIssuer(secret, clock=clock).mint(sub="alice")


@pytest.mark.usefixtures("_two_secrets")
@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_token_under_any_of_the_secrets_passes(secret: str, clock: Clock) -> None:
    assert verify(signed_with(secret, clock)).subject == "alice"


@pytest.mark.usefixtures("_two_secrets")
def test_a_token_under_another_secret_is_refused(clock: Clock) -> None:
    with pytest.raises(SignatureInvalid):
        verify(signed_with(OTHER, clock))


@pytest.mark.usefixtures("_two_secrets")
def test_the_first_secret_signs(settings: Settings) -> None:
    token = mint("alice", lifetime_seconds=60)
    settings.BETTER_AUTH_SECRETS = f"1:{OLD}"
    with pytest.raises(SignatureInvalid):
        verify(token)
    settings.BETTER_AUTH_SECRETS = f"7:{NEW}"
    assert verify(token)


@pytest.mark.usefixtures("_two_secrets")
def test_the_plain_secret_verifies_beside_versioned_ones_and_signs_nothing(
    settings: Settings, clock: Clock
) -> None:
    settings.BETTER_AUTH_SECRET = OTHER
    assert verify(signed_with(OTHER, clock))
    token = mint("alice", lifetime_seconds=60)
    settings.BETTER_AUTH_SECRET = ""
    assert verify(token)


@pytest.mark.usefixtures("_two_secrets")
def test_a_remembered_token_is_forgotten_with_its_secret(settings: Settings, clock: Clock) -> None:
    token = signed_with(OLD, clock)
    assert verify(token) is verify(token)
    settings.BETTER_AUTH_SECRETS = f"2:{NEW}"
    with pytest.raises(SignatureInvalid):
        verify(token)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" ", {}),
        ("1:a", {1: "a"}),
        ("2:new,1:old", {2: "new", 1: "old"}),
        (" 2 : new , 1 : old ", {2: "new", 1: "old"}),
        ("0:a:b==", {0: "a:b=="}),
        ("1:two words", {1: "two words"}),
    ],
)
def test_secrets_are_read_in_the_format_of_better_auth(text: str, expected: dict[int, str]) -> None:
    assert [*versioned_secrets(text).items()] == [*expected.items()]


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        ":hunter2",
        "x:hunter2",
        "-1:hunter2",
        "1.5:hunter2",
        "²:hunter2",
        "1:",
        "1: ",
        "1:hunter2,",
        ",1:hunter2",
        "1:hunter2,,2:b",
        "1:hunter2,1:b",
        "1:hunter2,01:b",
    ],
)
def test_secrets_in_another_format_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^:]+$|version:secret") as caught:
        versioned_secrets(text)
    assert "hunter2" not in str(caught.value)
