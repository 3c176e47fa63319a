from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from authn.conf import get_verifier
from authn.exceptions import AuthnError
from authn.explanations import ADVICE
from authn.testing import Issuer, Mint
from authn.tests.language import Grant


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def inspect(monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return run("inspect_token")


class TestMintToken:
    def test_the_output_is_a_token_that_the_api_accepts(self) -> None:
        printed = run("mint_token", "alice", "--email", "a@example.com", "--name", "Alice")
        claims = get_verifier().verify(printed.removesuffix("\n"))
        assert (claims.subject, claims.email, claims.name) == ("alice", "a@example.com", "Alice")
        assert claims.payload["exp"] - claims.payload["iat"] == 15 * 60

    @pytest.mark.parametrize(
        ("text", "seconds"), [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)]
    )
    def test_expires_takes_a_duration(self, text: str, seconds: int) -> None:
        claims = get_verifier().verify(run("mint_token", "alice", "--expires", text).strip())
        assert claims.payload["exp"] - claims.payload["iat"] == seconds

    @pytest.mark.parametrize("text", ["0s", "-5m", "15", "m", "1.5h", "1w", ""])
    def test_expires_refuses_other_text(self, text: str) -> None:
        with pytest.raises(CommandError, match="15m"):
            run("mint_token", "alice", f"--expires={text}")

    def test_issuer_and_audience_match_the_settings(self, settings: Settings) -> None:
        settings.BETTER_AUTH_ISSUER = "https://a.example"
        settings.BETTER_AUTH_AUDIENCE = ["todos", "more"]
        assert get_verifier().verify(run("mint_token", "alice").strip())

    def test_without_a_secret_the_error_names_the_url_of_a_token(self, settings: Settings) -> None:
        settings.BETTER_AUTH_SECRET, settings.BETTER_AUTH_URL = "", "https://a.example"
        with pytest.raises(CommandError, match=r"GET https://a\.example/api/auth/token"):
            run("mint_token", "alice")
        settings.BETTER_AUTH_URL = "https://a.example/auth/"
        with pytest.raises(CommandError, match=r"GET https://a\.example/auth/token"):
            run("mint_token", "alice")

    @pytest.mark.parametrize(
        ("text", "name", "value"),
        [
            ("role=admin", "role", "admin"),
            ("role=a=b", "role", "a=b"),
            ("level=2", "level", 2),
            ('level="2"', "level", "2"),
            ("active=true", "active", True),
            ('teams=["a", "b"]', "teams", ("a", "b")),
            ("code=007", "code", "007"),
            ("email=a@example.com", "email", "a@example.com"),
        ],
    )
    def test_a_claim_is_json_or_a_text(self, text: str, name: str, value: object) -> None:
        printed = run("mint_token", "alice", "--claim", text, "--claim", "more=1")
        payload = get_verifier().verify(printed.strip()).payload
        assert (payload[name], payload["more"]) == (value, 1)

    @pytest.mark.parametrize("text", ["role", "role=", "=admin", ""])
    def test_a_claim_needs_a_name_and_a_value(self, text: str) -> None:
        with pytest.raises(CommandError, match="write role=admin"):
            run("mint_token", "alice", f"--claim={text}")

    @pytest.mark.parametrize("text", ["exp=1", "exp=soon", "sub=[]", "iss=1", "cnf={}"])
    def test_a_claim_that_the_api_refuses_is_an_error(self, text: str) -> None:
        with pytest.raises(CommandError, match="would refuse"):
            run("mint_token", "alice", f"--claim={text}")

    @pytest.mark.parametrize("subject", ["", " ", "a\nb", "x" * 256, "\udc80"])
    def test_an_invalid_subject_is_an_error(self, subject: str) -> None:
        with pytest.raises(CommandError, match="would refuse"):
            run("mint_token", subject)


class TestInspectToken:
    def test_the_output_is_the_claims(self, monkeypatch: pytest.MonkeyPatch, mint: Mint) -> None:
        claims = {"sub": "alice", "teams": [{"name": "todos", "roles": ["reader"]}]}
        printed = json.loads(inspect(monkeypatch, f"  {mint(**claims)}\n"))
        assert claims.items() <= printed.items()

    @pytest.mark.parametrize(
        "form",
        [
            "{}",
            '  "{}"\n',
            "'{}'",
            "Bearer {}",
            "bearer\t{}\r\n",
            "Authorization: Bearer {}",
            '"authorization: bearer {}"',
            '{{"token": "{}"}}',
            '\n{{"token":"{}","more":1}}\n',
            "\ufeff{}",
            '\ufeff{{"token": "{}"}}',
        ],
        ids=ascii,
    )
    def test_every_form_of_a_pasted_token_is_accepted(
        self, monkeypatch: pytest.MonkeyPatch, mint: Mint, form: str
    ) -> None:
        assert json.loads(inspect(monkeypatch, form.format(mint(sub="ada"))))["sub"] == "ada"

    def test_a_token_wrapped_over_lines_is_accepted(
        self, monkeypatch: pytest.MonkeyPatch, mint: Mint
    ) -> None:
        token = mint(sub="ada")
        assert json.loads(inspect(monkeypatch, f"{token[:40]}\r\n  {token[40:]}"))["sub"] == "ada"

    @pytest.mark.parametrize(
        ("claims", "code", "setting"),
        [
            ({"exp": 1}, "token_expired", "BETTER_AUTH_LEEWAY"),
            ({"aud": "x"}, "audience_mismatch", "BETTER_AUTH_AUDIENCE"),
            ({"iss": "x"}, "issuer_mismatch", "BETTER_AUTH_ISSUER"),
            ({"header": {"alg": "HS512"}}, "algorithm_unsupported", "BETTER_AUTH_ALGORITHMS"),
        ],
    )
    def test_an_error_names_the_reason_and_the_setting_but_not_the_token(
        self,
        monkeypatch: pytest.MonkeyPatch,
        mint: Mint,
        claims: dict[str, Any],
        code: str,
        setting: str,
    ) -> None:
        token = mint(**claims)
        with pytest.raises(CommandError) as caught:
            inspect(monkeypatch, token)
        assert str(caught.value).startswith(f"{code}: ")
        assert setting in str(caught.value)
        assert not any(part in str(caught.value) for part in token.split("."))

    @pytest.mark.parametrize(
        ("claims", "advice"),
        [
            ({"aud": "https://other.example.com"}, "OAUTH_RESOURCE"),
            ({"iss": "https://auth.example.com"}, "path of BETTER_AUTH_URL"),
            ({"scope": ["read"]}, "scope"),
        ],
        ids=["aud", "iss", "scope"],
    )
    def test_the_advice_is_for_access_tokens_as_well(
        self,
        monkeypatch: pytest.MonkeyPatch,
        grant: Grant,
        claims: dict[str, Any],
        advice: str,
    ) -> None:
        with pytest.raises(CommandError, match=rf"(?s)\n.*{advice}"):
            inspect(monkeypatch, grant(**claims))

    def test_an_error_names_the_url_of_unavailable_keys(
        self, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
    ) -> None:
        issuer.broken = True
        with pytest.raises(CommandError, match=f"asked {issuer.url}/api/auth/jwks"):
            inspect(monkeypatch, issuer.mint())

    @pytest.mark.parametrize(
        "text",
        ["", "garbage", "\ud800", "{}", '{"token": null}', "null", "{", "Bearer", '{"t": "a.b.c"}'],
    )
    def test_input_that_is_not_a_token_is_malformed(
        self, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        with pytest.raises(CommandError, match="token_malformed"):
            inspect(monkeypatch, text)

    @pytest.mark.parametrize("size", [9_000, 100_000])
    def test_an_overlong_token_is_explained_with_definepayload(
        self, monkeypatch: pytest.MonkeyPatch, mint: Mint, size: int
    ) -> None:
        with pytest.raises(CommandError, match=r"(?s)token_too_long.*definePayload"):
            inspect(monkeypatch, mint(image="A" * size))

    def test_every_error_has_advice(self) -> None:
        def codes(error: type[AuthnError]) -> set[str]:
            return {error.code}.union(*map(codes, error.__subclasses__()))

        reasons = set().union(*map(codes, AuthnError.__subclasses__()))
        never_shown = {"token_invalid", "key_set_invalid", "user_refused"}
        assert set(ADVICE) == reasons - never_shown
