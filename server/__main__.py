"""What ``make run`` and, with ``--production``, ``make serve`` start."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management import CommandError
from django.utils.module_loading import import_string

from authn.origins import base_url
from server.http_server import allow_connections, server
from server.preflight import (
    Address,
    CannotStart,
    counting_together,
    load_settings,
    migrate,
    require_allowed_host,
    require_free,
    require_passing_checks,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_USER = "demo"

logger = logging.getLogger("server")


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
    become("-m", "server.http_server", address.host, str(address.port))


def serve() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # until granian's own
    load_settings()
    address = Address.from_settings()
    with counting_together():
        require_passing_checks(deployment=True)
        require_free(address, command="make serve")
        allow_connections()
        prepare_to_fork()
        logger.info("Listening on http://%s, workers: %d", address, settings.WEB_CONCURRENCY)
        # Not by exec: its workers are forked from this process, with what is loaded here.
        server(
            address.host,
            address.port,
            workers=settings.WEB_CONCURRENCY,
            respawn_failed_workers=True,
        ).serve()


def prepare_to_fork() -> None:
    """Load what the checks have not, so that a worker that comes later takes next to nothing from
    the disk, where there may be other code by then."""
    for name in settings.MIDDLEWARE:
        import_string(name)
    gc.collect()
    gc.freeze()  # pages are shared until they are written to, as a collection does


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
        issuer = base_url(settings.BETTER_AUTH_URL) or "<Better Auth>"
        heading = f"Get a token: sign in, GET {issuer}/token, then TOKEN=<token>"
    pages = "In a browser, open it and log in.\n" if settings.BROWSABLE_API else ""
    return (
        f"\nThe API is at {root}\n{pages}\n{heading}\n\nCreate a todo:\n"
        f"curl -i '{root}todos/' -H \"Authorization: Bearer {token or '$TOKEN'}\" "
        "-H 'Content-Type: application/json' -d '{\"title\": \"Buy milk\"}'\n"
    )


def demo_token() -> str:
    """Empty where no secret is in use: a key set only verifies."""
    from authn.minting import can_mint, mint  # needs the settings

    return mint(DEMO_USER, lifetime_seconds=12 * 3600, name="Demo") if can_mint() else ""


def become(*arguments: str) -> NoReturn:
    """Replace this process, so that a signal reaches the server and nothing else."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
