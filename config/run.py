"""What ``make run`` and, with ``--production``, ``make serve`` start."""

from __future__ import annotations

import io
import os
import secrets
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management import CommandError, call_command

from config.preflight import (
    Address,
    CannotStart,
    load_settings,
    migrate,
    require_allowed_host,
    require_free,
    require_passing_checks,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_USER = "demo"
# A connection that says nothing must not keep others out, nor a body fill the disk before
# anybody has asked for a token.
WAITRESS_LIMITS = (
    "--threads=8",
    "--connection-limit=1000",
    "--asyncore-use-poll",
    "--channel-timeout=20",
    "--cleanup-interval=5",
    "--max-request-header-size=32768",
    "--max-request-body-size=1048576",
    "--no-clear-untrusted-proxy-headers",  # X-Forwarded-Proto, see SECURE_PROXY_SSL_HEADER
)


def main() -> None:
    parser = ArgumentParser(prog="python -m config.run", description=__doc__)
    parser.add_argument("--production", action="store_true", help="do what make serve does")
    start = serve if parser.parse_args().production else run
    try:
        start()
    except (CannotStart, CommandError) as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)


def run() -> None:
    write_env_file(BASE_DIR / ".env")
    load_settings()
    address = Address.from_settings()
    require_free(address, command="make run")
    require_passing_checks()
    require_allowed_host(address.reachable)
    migrate()
    print(introduction(f"http://{address.reachable}/api/"))
    os.environ["DJANGO_RUNSERVER_HIDE_WARNING"] = "true"
    become(str(BASE_DIR / "manage.py"), "runserver", str(address))


def serve() -> None:
    load_settings()
    address = Address.from_settings()
    require_passing_checks(deployment=True)
    require_free(address, command="make serve")
    become("-m", "waitress", f"--listen={address}", *WAITRESS_LIMITS, "config.wsgi:application")


def write_env_file(path: Path) -> None:
    """Fresh secrets, readable by their owner only. A file that is there stays as it is."""
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(
                "# Written by `make run`, for development. .env.example has every variable.\n"
                "DEBUG=true\n"
                f"DJANGO_SECRET_KEY={secrets.token_hex(32)}\n"
                "# Better Auth signs with the same secret, where it is to sign with one.\n"
                f"BETTER_AUTH_SECRET={secrets.token_hex(32)}\n"
            )
    except FileExistsError:
        return
    except OSError as error:
        raise CannotStart(
            f"{path} cannot be written ({error.strerror}): make its folder writable."
        ) from None
    print(f"Wrote {path} with fresh random secrets.", flush=True)


def introduction(root: str) -> str:
    """What to print for somebody who has never seen this API."""
    token = demo_token()
    heading = f'A token for the user "{DEMO_USER}", good for 12 hours:\n{token}'
    if not token:
        heading = "Get a token: sign in, GET <BETTER_AUTH_URL>/api/auth/token, then TOKEN=<token>"
    pages = "In a browser, open it and log in.\n" if settings.BROWSABLE_API else ""
    return (
        f"\nThe API is at {root}\n{pages}\n{heading}\n\nCreate a todo:\n"
        f"curl -i '{root}todos/' -H \"Authorization: Bearer {token or '$TOKEN'}\" "
        "-H 'Content-Type: application/json' -d '{\"title\": \"Buy milk\"}'\n"
    )


def demo_token() -> str:
    """Empty where no secret is in use: a key set only verifies."""
    from authn.minting import can_mint  # needs the settings

    if not can_mint():
        return ""
    output = io.StringIO()
    call_command("mint_token", DEMO_USER, "--name=Demo", "--expires=12h", stdout=output)
    return output.getvalue().strip()


def become(*arguments: str) -> NoReturn:
    """Replace this process, so that a signal reaches the server and nothing else."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
