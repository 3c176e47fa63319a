"""What ``make run`` and, with ``--production``, ``make serve`` start."""

from __future__ import annotations

import os
import resource
import secrets
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management import CommandError

from config.preflight import (
    Address,
    CannotStart,
    count_together,
    load_settings,
    migrate,
    require_allowed_host,
    require_free,
    require_passing_checks,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_USER = "demo"
# Of each worker, so that connections which say nothing keep nobody out. What bounds the work
# is the number of threads in config.asgi.
MAX_CONNECTIONS = 16_384
SPARE_DESCRIPTORS = 256
MAX_HEADER_OCTETS = 32 * 1024
HEADER_SECONDS = 20  # also for a connection that is kept open
STOP_SECONDS = 30  # for requests that are being answered


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
    allow_connections(MAX_CONNECTIONS)
    count_together()
    become("-m", "granian", *server_arguments(address, workers=settings.WEB_CONCURRENCY))


def server_arguments(address: Address, *, workers: int) -> list[str]:
    """Those of granian (https://github.com/emmett-framework/granian)."""
    return [
        "--interface=asginl",
        "--http=1",
        "--no-ws",
        f"--host={address.host}",
        f"--port={address.port}",
        f"--workers={workers}",
        "--respawn-failed-workers",
        f"--workers-kill-timeout={STOP_SECONDS}s",
        "--backlog=1024",
        f"--backpressure={MAX_CONNECTIONS}",
        f"--http1-buffer-size={MAX_HEADER_OCTETS}",
        f"--http1-header-read-timeout={HEADER_SECONDS * 1000}",
        "--log-level=warning",
        "config.asgi:application",
    ]


def allow_connections(count: int) -> None:
    """Raise this process's own limit of open files as far as it may."""
    wanted = count + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
    from authn.minting import can_mint, mint  # needs the settings

    return mint(DEMO_USER, lifetime_seconds=12 * 3600, name="Demo") if can_mint() else ""


def become(*arguments: str) -> NoReturn:
    """Replace this process, so that a signal reaches the server and nothing else."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
