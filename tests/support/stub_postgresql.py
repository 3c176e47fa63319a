"""A server that speaks enough of PostgreSQL's protocol to fall out of step with its client.

https://www.postgresql.org/docs/current/protocol-flow.html
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

IDLE, IN_TRANSACTION = b"I", b"T"
PARAMETERS = {
    "client_encoding": "UTF8",
    "server_version": "17.0",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
}


class StubPostgresql:
    """Answer each statement once, or with the tags that ``answers`` has for its first word."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.clients.append(client)
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream, suppress(OSError, struct.error):
            (length,) = struct.unpack("!i", stream.read(4))
            stream.read(length - 4)
            pairs = [f"{name}\0{value}\0".encode() for name, value in PARAMETERS.items()]
            greeting = [(b"R", bytes(4)), *((b"S", pair) for pair in pairs)]
            self._send(client, *greeting, (b"Z", IDLE))
            status = IDLE
            while kind := stream.read(1):
                (length,) = struct.unpack("!i", stream.read(4))
                body = stream.read(length - 4)
                if kind == b"Q":
                    statement = body.decode().rstrip("\0")
                    status = {"BEGIN": IN_TRANSACTION, "COMMIT": IDLE, "ROLLBACK": IDLE}.get(
                        statement, status
                    )
                    self._send(client, *self._messages(statement), (b"Z", status))

    def _messages(self, statement: str) -> list[tuple[bytes, bytes]]:
        word = statement.partition(" ")[0]
        tags = self.answers.get(word, [word])
        rows = row("1") if word == "SELECT" else []
        return [message for tag in tags for message in (*rows, (b"C", f"{tag}\0".encode()))]

    @staticmethod
    def _send(client: socket.socket, *messages: tuple[bytes, bytes]) -> None:
        client.sendall(
            b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in messages)
        )


def row(value: str) -> list[tuple[bytes, bytes]]:
    """Describe one column of text, and one row of it."""
    column = b"value\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
    data = struct.pack("!hi", 1, len(value)) + value.encode()
    return [(b"T", struct.pack("!h", 1) + column), (b"D", data)]
