from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authn.conf import get_verifier
from authn.exceptions import AuthnError
from authn.explanations import WHERE_TO_LOOK, facts
from authn.pasting import pasted_token

MAX_INPUT_CHARACTERS = 64 * 1024


class Command(BaseCommand):
    help = (
        "Verify the token on standard input with the settings of this API. Takes it alone, as an "
        "Authorization header, or as the JSON answer of GET /api/auth/token. Prints its claims, "
        "or the reason why it is refused and the setting to look at; never the token."
    )

    requires_system_checks = ()  # a wrong configuration is what this is to tell

    def handle(self, **options: Any) -> None:
        token = pasted_token(sys.stdin.read(MAX_INPUT_CHARACTERS))
        try:
            claims = get_verifier().verify(token)
        except AuthnError as reason:
            raise CommandError(_explain(reason)) from None
        self.stdout.write(json.dumps(claims.payload, indent=2, default=dict))


def _explain(reason: AuthnError) -> str:
    look_at = f"Look at: {WHERE_TO_LOOK[reason.code]}"
    return "\n".join([f"{reason.code}: {reason}", *facts(reason), look_at])
