"""``authn.testing``: its fixtures, and the example in docs/testing.md."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.test import Client

from authn import jwks
from authn.conf import get_verifier
from authn.keys import COOLDOWN_SECONDS
from authn.testing import (
    KEY_SET_ALGORITHMS,
    Bearer,
    Clock,
    Issuer,
    Mint,
    SecretIssuer,
)

PROJECT = Path(__file__).parents[2]
LIFETIME_SECONDS = 900
LEEWAY_SECONDS = 30
# With these settings, the API accepts no token of the example.
FOREIGN_SETTINGS = {
    "BETTER_AUTH_URL": "https://foreign.example",
    "BETTER_AUTH_JWKS_URL": "https://foreign.example/keys",
    "BETTER_AUTH_ISSUER": "https://foreign.example",
    "BETTER_AUTH_AUDIENCE": "foreign",
    "BETTER_AUTH_ALGORITHMS": "ES384",
    "BETTER_AUTH_SECRET": "short",
    "BETTER_AUTH_ALLOW_HTTP": "true",
    "BETTER_AUTH_LEEWAY": "0",
}


def outcome(client: Client) -> tuple[int, str]:
    """Return the status of ``/api/me/``, and the user id or the error code."""
    response = client.get("/api/me/")
    body = response.json()
    return response.status_code, body["id" if response.status_code == 200 else "code"]


class TestIssuer:
    @pytest.mark.parametrize("issuer", KEY_SET_ALGORITHMS, indirect=True)
    def test_tokens_of_the_issuer_are_accepted(
        self, issuer: Issuer, bearer: Bearer, request: pytest.FixtureRequest
    ) -> None:
        algorithm = request.node.callspec.params["issuer"]
        assert [key["alg"] for key in issuer.jwks()["keys"]] == [algorithm]
        assert outcome(bearer(issuer.mint(sub="ada"))) == (200, "ada")
        assert issuer.fetches == 1

    def test_an_issuer_has_every_algorithm_of_the_api(self) -> None:
        assert sorted(KEY_SET_ALGORITHMS) == sorted(jwks.KEY_SET_ALGORITHMS)

    @pytest.mark.parametrize("algorithm", ["HS256", "ES384", "none"])
    def test_an_issuer_refuses_other_algorithms(self, algorithm: str) -> None:
        with pytest.raises(ValueError, match="use EdDSA, ES256"):
            Issuer(algorithm=algorithm)

    def test_a_rotated_key_keeps_the_algorithm(self) -> None:
        issuer = Issuer(algorithm="ES512")
        issuer.rotate()
        assert [key["alg"] for key in issuer.jwks()["keys"]] == ["ES512", "ES512"]

    def test_tokens_of_a_withdrawn_key_are_refused(
        self, issuer: Issuer, bearer: Bearer, clock: Clock
    ) -> None:
        withdrawn = issuer.kid
        assert outcome(bearer(issuer.mint())) == (200, "alice")
        issuer.rotate()
        issuer.withdraw(withdrawn)
        assert [key["kid"] for key in issuer.jwks()["keys"]] == [issuer.kid]
        clock.advance(COOLDOWN_SECONDS)
        assert outcome(bearer(issuer.mint())) == (200, "alice")
        assert outcome(bearer(issuer.mint(kid=withdrawn))) == (401, "key_unknown")


class TestClock:
    @pytest.mark.parametrize("source", ["issuer", "secret_issuer"])
    def test_a_token_expires_by_the_clock(
        self, request: pytest.FixtureRequest, bearer: Bearer, clock: Clock, source: str
    ) -> None:
        issuer: Issuer | SecretIssuer = request.getfixturevalue(source)
        client = bearer(issuer.mint())
        clock.advance(LIFETIME_SECONDS + LEEWAY_SECONDS - 0.001)
        assert outcome(client) == (200, "alice")
        clock.advance(0.001)
        assert outcome(client) == (401, "token_expired")
        assert outcome(bearer(issuer.mint())) == (200, "alice")

    def test_the_clock_starts_at_the_present_second_and_stands_still(self, clock: Clock) -> None:
        assert 0 <= time.time() - clock() < 60
        assert clock() == int(clock())
        assert clock() == clock()


class TestAnotherClock:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(0)

    def test_an_overridden_clock_does_not_verify_tokens(
        self, clock: Clock, issuer: Issuer, mint: Mint, bearer: Bearer
    ) -> None:
        clock.advance(1)
        assert outcome(bearer(issuer.mint())) == outcome(bearer(mint())) == (200, "alice")


class TestMint:
    @pytest.mark.parametrize("claim", ["sub", "exp"])
    def test_none_omits_a_claim_of_a_secret_token(
        self, mint: Mint, bearer: Bearer, claim: str
    ) -> None:
        assert outcome(bearer(mint(**{claim: None}))) == (401, "claim_missing")


class TestSettings:
    @pytest.mark.parametrize("test", ["one", "the next"])
    def test_each_test_fetches_its_own_keys(self, issuer: Issuer, test: str) -> None:
        assert get_verifier().verify(issuer.mint())
        assert issuer.fetches == 1


def blocks() -> dict[str, str]:
    """Return the files that docs/testing.md shows, as path to text."""
    text = (PROJECT / "docs" / "testing.md").read_text()
    return dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Write the example into a directory without this project's conftest.py."""
    for path, text in {"pytest.ini": (PROJECT / "pytest.ini").read_text(), **blocks()}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.mark.live
def test_the_documented_example_works_in_any_environment(example: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "greetings"],
        cwd=example,
        env={"PYTHONPATH": str(PROJECT), **FOREIGN_SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert " 13 passed" in finished.stdout
