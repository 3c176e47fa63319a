"""Configure and migrate a fresh clone, and start the development server: ``make run``."""

from __future__ import annotations

import multiprocessing
import os
import secrets
from pathlib import Path

from django.conf import settings
from watchfiles import PythonFilter

from authn.origins import base_url
from server.http_server import make_server
from server.preflight import (
    Address,
    CannotStart,
    exit_on_signals,
    load_settings,
    migrate,
    require_allowed_host,
    require_free,
    require_passing_checks,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_USER = "demo"


class Sources(PythonFilter):
    """Select the files whose change reloads the server. The database is none of them."""

    def __init__(self) -> None:
        super().__init__(extra_extensions=(".env", ".html", ".css"))


def main() -> None:
    exit_on_signals()
    if "ENV_FILE" not in os.environ:
        write_env_file(BASE_DIR / ".env")
    load_settings()
    address = Address.from_settings()
    require_free(address, command="make run")
    require_passing_checks()
    require_allowed_host(address.reachable)
    migrate()
    print(introduction(f"http://{address.reachable}/api/"), flush=True)
    multiprocessing.set_start_method("spawn")  # a forked worker would keep the old code
    server = make_server(
        address,
        reload=True,
        reload_paths=[BASE_DIR],
        reload_filter=Sources,
        reload_ignore_worker_failure=True,  # the next change may correct the mistake
    )
    server.serve()


def write_env_file(path: Path) -> None:
    """Write fresh secrets that only the owner can read. An existing file stays as it is."""
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(
                "# Written by `make run`, for development. .env.example has every variable.\n"
                "DEBUG=true\n"
                f"DJANGO_SECRET_KEY={secrets.token_hex(32)}\n"
                "# Better Auth signs tokens with the same secret.\n"
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
    from authn.minting import can_mint, mint  # needs the settings

    if can_mint():
        token = mint(DEMO_USER, lifetime_seconds=12 * 3600, name="Demo")
        heading = f'A token for the user "{DEMO_USER}", good for 12 hours:\n{token}'
    else:
        token = "$TOKEN"  # noqa: S105 - a variable of the shell
        issuer = base_url(settings.BETTER_AUTH_URL) or "<Better Auth>"
        heading = f"Get a token: sign in, GET {issuer}/token, then TOKEN=<token>"
    pages = "In a browser, open it and log in.\n" if settings.BROWSABLE_API else ""
    return (
        f"\nThe API is at {root}\n{pages}\n{heading}\n\nCreate a todo:\n"
        f"curl -i '{root}todos/' -H \"Authorization: Bearer {token}\" "
        "-H 'Content-Type: application/json' -d '{\"title\": \"Buy milk\"}'\n"
    )


if __name__ == "__main__":
    main()
