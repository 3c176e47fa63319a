from __future__ import annotations

import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authn.conf import AuthnConfig
from authn.exceptions import NotConfigured, TokenRejected
from authn.minting import can_mint, mint

SECONDS_OF_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration_seconds(text: str) -> int:
    match = re.fullmatch("([1-9][0-9]{0,5})([smhd])", text)
    if not match:
        raise ArgumentTypeError(f"{text!r} is not a duration: write 90s, 15m, 12h or 7d")
    return int(match[1]) * SECONDS_OF_UNIT[match[2]]


def claim(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise ArgumentTypeError(f"{text!r} is not a claim: write role=admin or level=2")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


class Command(BaseCommand):
    help = "Print a token for SUB, signed with the newest secret, to try the API with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("subject", metavar="SUB", help="the user id, which becomes `sub`")
        parser.add_argument("--email")
        parser.add_argument("--name")
        parser.add_argument(
            "--expires",
            type=duration_seconds,
            default="15m",
            metavar="15m",
            help="the lifetime, in s, m, h or d",
        )
        parser.add_argument(
            "--claim",
            type=claim,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="another claim, in JSON or as text; may be repeated",
        )

    def handle(self, *, subject: str, expires: int, **options: Any) -> None:
        if not can_mint():
            base_url = AuthnConfig().base_url or "<Better Auth>/api/auth"
            raise CommandError(
                "No secret is in use, and a key set cannot sign. Set BETTER_AUTH_SECRET, or "
                f"get a token from Better Auth: GET {base_url}/token"
            )
        try:
            token = mint(
                subject,
                lifetime_seconds=expires,
                email=options["email"],
                name=options["name"],
                more_claims=dict(options["claim"]),
            )
        except (TokenRejected, NotConfigured, TypeError) as reason:
            raise CommandError(f"The API would refuse this token. {reason}") from None
        self.stdout.write(token)
