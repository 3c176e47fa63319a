from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authn.conf import get_verifier
from authn.exceptions import AuthnError
from authn.explanations import ADVICE, facts, pasted_token

MAX_INPUT_CHARACTERS = 64 * 1024


class Command(BaseCommand):
    help = (
        "Verify the token on standard input with the settings of this API. Input is a token, an "
        "Authorization header, or the JSON of GET /api/auth/token. Output is the token's claims, "
        "or why the token is refused and what to check, without the token."
    )

    requires_system_checks = ()  # so that the command can explain a wrong configuration

    def handle(self, **options: Any) -> None:
        token = pasted_token(sys.stdin.read(MAX_INPUT_CHARACTERS))
        try:
            claims = get_verifier().verify(token)
        except AuthnError as reason:
            lines = [f"{reason.code}: {reason}", *facts(reason), ADVICE[reason.code]]
            raise CommandError("\n".join(lines)) from None
        self.stdout.write(json.dumps(claims.payload, indent=2, default=dict))
