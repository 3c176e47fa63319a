"""What must hold before a server starts. Each says in one line what is wrong and what to do."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import django
import django.db
from django.conf import settings
from django.core import checks
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpRequest

from operations.encoding import EncodingUnsuitable, require_utf8


class CannotStart(Exception):
    """Says in one line what is wrong and what to do about it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address to listen on, without brackets: servers look up no name."""

    host: str
    port: int
    name: str = ""  # that was looked up

    @classmethod
    def from_settings(cls) -> Address:
        host, port = settings.HOST, settings.PORT
        if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 2**16:
            raise CannotStart(f"PORT is {port}: it must be a number from 1 to 65535, as PORT=8001.")
        name = host.removeprefix("[").removesuffix("]")
        try:
            return cls(looked_up(name), int(port), name)
        except (OSError, UnicodeError) as error:
            raise CannotStart(no_address(name, error)) from None

    def __str__(self) -> str:
        host = self.name or self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def reachable(self) -> Address:
        """Itself, or this machine where it stands for every address."""
        if host := {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host):  # noqa: S104
            return Address(host, self.port)
        return self


def looked_up(name: str) -> str:
    """The IPv4 address of a name, or else its IPv6 one. Raises ``OSError``, ``UnicodeError``."""
    if name == "*":
        raise OSError(errno.EADDRNOTAVAIL, "a star is no name")  # it would be this machine alone
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    addresses = {family: address for family, _, _, _, address in reversed(found)}
    host, *_ = addresses.get(socket.AF_INET) or addresses[socket.AF_INET6]
    return str(host)


def no_address(host: str, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"HOST is {host}, no address of this machine ({reason.partition(' (')[0]}): "
        "take 127.0.0.1, or 0.0.0.0 for every one."
    )


def load_settings() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise CannotStart(first_line(error)) from None


def require_free(address: Address, *, command: str) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server((address.host, address.port), family=family).close()
    except OSError as error:
        raise CannotStart(why_not(error, address, command)) from None


def why_not(error: OSError, address: Address, command: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            other = 8001 if address.port != 8001 else 8002
            return f"Something listens on {address} already: stop it, or {command} PORT={other}"
        case errno.EACCES:
            return f"Port {address.port} is for administrators only: {command} PORT=8001"
        case _:
            return no_address(address.name or address.host, error)


def require_passing_checks(*, deployment: bool = False) -> None:
    # With a database named, Django's checks of models connect to it, and it may be down. Django 6.1
    # names every database unless the list is empty.
    found = checks.run_checks(include_deployment_checks=deployment, databases=[])
    if deployment:
        found += checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    found = [message for message in found if not message.is_silenced()]
    if serious := [message for message in found if message.is_serious()]:
        raise CannotStart("\n".join(map(in_one_line, serious)))
    for message in found:
        print(in_one_line(message), file=sys.stderr)


def in_one_line(message: checks.CheckMessage) -> str:
    return f"{message.id}: {message.msg} {message.hint or ''}".strip()


@contextmanager
def counting_together() -> Iterator[None]:
    """Have the workers of this server count in one new folder, which is gone with the server.

    The library that counts (``operations.metrics``) must not be loaded before.
    """
    if not settings.METRICS_TOKEN:
        yield
        return
    try:
        # The name is known before the folder is there, whenever a signal comes.
        folder = Path(tempfile.gettempdir()) / f"todos-metrics-{secrets.token_hex(8)}"
    except OSError as error:
        raise no_folder(error) from None
    try:
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise no_folder(error) from None
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def no_folder(error: OSError) -> CannotStart:
    reason = error.strerror
    return CannotStart(f"METRICS_TOKEN needs a folder for temporary files ({reason}): set TMPDIR.")


def require_allowed_host(address: Address) -> None:
    request = HttpRequest()
    request.META["HTTP_HOST"] = str(address)
    try:
        request.get_host()
    except DisallowedHost:
        raise CannotStart(
            f"Requests for {address.name or address.host} would be refused: name it in "
            "DJANGO_ALLOWED_HOSTS, or set DEBUG=true and no DJANGO_ALLOWED_HOSTS to develop on "
            "this machine."
        ) from None


def migrate() -> None:
    """Bring the database up to date and prove that it can be written."""
    make_private()
    try:
        with connection.temporary_connection():
            require_utf8()
        call_command("migrate", verbosity=0, interactive=False)
        write_and_take_back()
    except EncodingUnsuitable as reason:
        raise CannotStart(reason.detail) from None
    except django.db.Error as error:
        raise CannotStart(database_advice(first_line(error))) from None
    finally:
        connection.close()


def make_private() -> None:
    """Make the SQLite file readable by its owner only, where there is none.

    SQLite gives the files beside it (``-wal``, ``-shm``) the same permissions.
    """
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and name != ":memory:":
        with suppress(OSError):  # SQLite says what is wrong with the folder
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def write_and_take_back() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET name = name")
        transaction.set_rollback(True)


def database_advice(reason: str) -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return (
            f"The database file {name} cannot be written ({reason}): make it and its folder "
            "writable, or set DATABASE_URL to another, as sqlite:////path/to/todos.sqlite3"
        )
    # The name of the server is in the reason, and no password is.
    return f"The database {name} cannot be used ({reason}): start it, or correct DATABASE_URL."


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
