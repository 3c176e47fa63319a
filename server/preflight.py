"""Refuse a start that cannot work, in one line that says what is wrong and what to do."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import django
import django.db
from django.conf import settings
from django.core import checks
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.http import HttpRequest

from operations.encoding import EncodingUnsuitable, require_utf8


class CannotStart(SystemExit):
    """End the process with a line that says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str  # an IP address without brackets: granian looks up no name
    port: int
    name: str = ""  # HOST, before it was looked up

    @classmethod
    def from_settings(cls) -> Address:
        host, port = settings.HOST, settings.PORT
        if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 2**16:
            raise CannotStart(f"PORT is {port}: set it to a number from 1 to 65535, as PORT=8001.")
        name = host.removeprefix("[").removesuffix("]")
        try:
            return cls(ip_address_of(name), int(port), name)
        except (OSError, UnicodeError) as error:
            raise no_address(name, error) from None

    def __str__(self) -> str:
        host = self.name or self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def reachable(self) -> Address:
        """Replace the address that stands for every one by that of this machine."""
        if host := {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host):  # noqa: S104
            return Address(host, self.port)
        return self


def ip_address_of(name: str) -> str:
    """Return the IPv4 address of a name, or else its IPv6 address."""
    if name == "*":  # getaddrinfo() would take it for this machine
        raise OSError(errno.EADDRNOTAVAIL, "a star is no name")
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    addresses = {family: address for family, _, _, _, address in reversed(found)}
    host, *_ = addresses.get(socket.AF_INET) or addresses[socket.AF_INET6]
    return str(host)


def no_address(host: str, error: OSError | UnicodeError) -> CannotStart:
    reason = getattr(error, "strerror", None) or str(error)
    return CannotStart(
        f"HOST is {host}, no address of this machine ({reason.partition(' (')[0]}): "
        "set it to 127.0.0.1, or to 0.0.0.0 for every address."
    )


def exit_on_signals() -> None:
    """End without a traceback. granian replaces these handlers when it starts."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))


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
        if error.errno == errno.EADDRINUSE:
            other = 8002 if address.port == 8001 else 8001
            raise CannotStart(
                f"Another program listens on {address}: stop it, or {command} PORT={other}"
            ) from None
        if error.errno == errno.EACCES:
            raise CannotStart(
                f"Only an administrator may listen on port {address.port}: {command} PORT=8001"
            ) from None
        raise no_address(address.name or address.host, error) from None


def require_passing_checks(*, deployment: bool = False) -> None:
    """Print the warnings of Django's system checks. Their errors end the start."""
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
def shared_metrics() -> Iterator[None]:
    """Have all workers count in one new folder, which is removed when the server ends.

    prometheus_client reads the variable when it is imported, so nothing may import it before.
    """
    if not settings.METRICS_TOKEN:
        yield
        return
    try:
        folder = tempfile.TemporaryDirectory(prefix="todos-metrics-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CannotStart(
            f"METRICS_TOKEN needs a folder for temporary files ({error.strerror}): set TMPDIR."
        ) from None
    with folder as path:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = path
        yield


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
    """Migrate the database and prove that it can be written."""
    make_private()
    try:
        with connection.temporary_connection():
            require_utf8()
        call_command("migrate", verbosity=0, interactive=False)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET name = name")
            transaction.set_rollback(True)
    except EncodingUnsuitable as reason:
        raise CannotStart(reason.detail) from None
    except CommandError as error:
        raise CannotStart(str(error)) from None
    except django.db.Error as error:
        raise CannotStart(database_advice(first_line(error))) from None
    finally:
        connection.close()


def make_private() -> None:
    """Create a missing SQLite file so that only its owner can read it.

    SQLite gives the files beside it (``-wal``, ``-shm``) the same permissions.
    """
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and name != ":memory:":
        with suppress(OSError):  # SQLite says what is wrong with the folder
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def database_advice(reason: str) -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return (
            f"The database file {name} cannot be written ({reason}): make it and its folder "
            "writable, or name another, as DATABASE_URL=sqlite:////path/to/todos.sqlite3"
        )
    # The reason names the host. It never has the password.
    return f"The database {name} cannot be used ({reason}): start it, or correct DATABASE_URL."


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
