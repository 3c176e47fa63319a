"""Requests as bytes for wrk, or sent once to read the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Ask:
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def octets(self, port: int, token: str) -> bytes:
        fields = {"Host": f"127.0.0.1:{port}", **self._fields(token)}
        content = self._content()
        if content:
            fields["Content-Length"] = str(len(content))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def send(self, port: int, token: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.request(self.method, self.path, self._content() or None, self._fields(token))
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()

    def _fields(self, token: str) -> dict[str, str]:
        fields = {"Authorization": f"Bearer {token}", **self.headers} if token else {**self.headers}
        return {**fields, "Content-Type": "application/json"} if self.body is not None else fields

    def _content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()
