from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authn.conf import AuthnConfig, get_verifier
from authn.exceptions import AuthnError

MAX_INPUT_CHARACTERS = 64 * 1024

WHERE_TO_LOOK = {
    "token_malformed": (
        "Send the `token` of GET /api/auth/token. The bearer plugin's session token is no JWT."
    ),
    "header_unsupported": "No setting allows `crit` or `b64`.",
    "type_unsupported": (
        "No setting allows this `typ`: session-cache and logout tokens open nothing here."
    ),
    "algorithm_unsupported": (
        "BETTER_AUTH_ALGORITHMS; BETTER_AUTH_SECRET for HS256, BETTER_AUTH_URL for the others."
    ),
    "key_unknown": "BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL: is this the server that issued it?",
    "key_ambiguous": "No setting: let the issuer write `kid`, or publish one key an algorithm.",
    "signature_invalid": (
        "BETTER_AUTH_SECRET: is it the same as Better Auth's, to the letter? With a key set: an "
        "issuer that gave an old kid to a new key; it is fetched again within ten minutes."
    ),
    "token_expired": "BETTER_AUTH_LEEWAY and this machine's clock, or get a new token.",
    "token_not_yet_valid": "BETTER_AUTH_LEEWAY and the clocks of both machines.",
    "claim_missing": (
        "`exp` and `sub` always; `iss` and `aud` with a key set, or when BETTER_AUTH_ISSUER or "
        "BETTER_AUTH_AUDIENCE is set."
    ),
    "claim_invalid": "No setting: a time that is no number, or an `iss` or `aud` that is no text.",
    "subject_invalid": "No setting: `sub` must be 1 to 255 characters, not blank.",
    "issuer_mismatch": "BETTER_AUTH_ISSUER, or the origin of BETTER_AUTH_URL.",
    "audience_mismatch": "BETTER_AUTH_AUDIENCE, or the origin of BETTER_AUTH_URL.",
    "keys_unavailable": "BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL: does it answer from here?",
    "not_configured": "The README's table of settings; `manage.py check` names every mistake.",
}


class Command(BaseCommand):
    help = (
        "Verify the token on standard input with the settings of this API. Prints its claims, "
        "or the reason why it is refused and the setting to look at; never the token."
    )

    requires_system_checks = ()  # a wrong configuration is what this is to tell

    def handle(self, **options: Any) -> None:
        token = sys.stdin.read(MAX_INPUT_CHARACTERS).strip()
        try:
            claims = get_verifier().verify(token)
        except AuthnError as reason:
            raise CommandError(_explain(reason)) from None
        self.stdout.write(json.dumps(dict(claims.payload), indent=2))


def _explain(reason: AuthnError) -> str:
    lines = [f"{reason.code}: {reason}", f"Look at: {WHERE_TO_LOOK[reason.code]}"]
    config = AuthnConfig.from_settings()
    if reason.code == "issuer_mismatch":
        lines.append(f"Expected: {config.expected_issuer or 'none, as no issuer is set'}")
    if reason.code == "audience_mismatch":
        expected = ", ".join(sorted(config.expected_audience))
        lines.append(f"Expected: {expected or 'none, as no audience is set'}")
    if reason.code == "keys_unavailable":
        lines.append(f"Asked: {config.key_set_url}")
    return "\n".join(lines)
