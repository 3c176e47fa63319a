"""Clients of one user that write in every way, and clients that keep a copy of all todos."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from itertools import cycle, islice
from random import Random
from typing import Any
from uuid import uuid4

from tests.faults.load import BROKEN
from tests.support.processes import Answer, Api
from todos.tests.replicas import CHANGES, Copy

TODOS, LISTS = "/api/todos/", "/api/lists/"
IN_FLIGHT = "409 idempotency_key_in_flight"
KNOWN_IDS = 100  # which all writers write: few enough to meet
REPEATS = 20  # at one server or the other
MOST_POLLS = 20_000  # more than any copy needs


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Device:
    """A client with an address of its own, which repeats what got no answer at the next server.

    ``outcomes`` counts the answers, and the requests without one.
    """

    def __init__(self, servers: Sequence[Api], token: str, *, number: int) -> None:
        self._servers, self._token = cycle(servers), token
        self._source = f"127.0.1.{number + 1}"
        self.outcomes = Counter[str]()

    def send(self, request: Request) -> Answer:
        body = None if request.body is None else json.dumps(request.body).encode()
        for server in islice(self._servers, REPEATS):
            try:
                answer = server.send(
                    request.method,
                    request.path,
                    self._token,
                    body,
                    source=self._source,
                    **request.headers,
                )
            except (OSError, HTTPException):
                self.outcomes[BROKEN] += 1
            else:
                self.outcomes[answer.outcome] += 1
                return answer
        raise AssertionError(f"no server answers {request}")


class Poller(Copy):
    """A client that keeps a copy as docs/api.md tells it to."""

    def __init__(self, device: Device, *, limit: int) -> None:
        super().__init__()
        self.device, self._limit = device, limit
        self._etag: dict[str, str] = {}

    def poll(self) -> bool:
        """Ask once, and return whether there may be more."""
        since, path = self.since, f"{CHANGES}?since={self.since}&limit={self._limit}"
        answer = self.device.send(Request("GET", path, headers=self._etag))
        if answer.status == 304:
            return False
        self._etag = {}
        if answer.outcome == "410 resync_required":
            self.start_again()
            return True
        assert answer.status == 200, answer.outcome
        self.take(answer.data)
        if self.since == since:
            self._etag = {"If-None-Match": answer.headers["etag"]}
        return True

    def drain(self) -> None:
        """Poll until there is nothing new."""
        assert any(not self.poll() for _ in range(MOST_POLLS))


class Writer:
    """A client that writes todos which the other writers write too.

    It knows a todo from one of the copies. ``undecided`` has the requests whose first attempt was
    killed: their keys are free again after a minute.
    """

    def __init__(
        self, device: Device, ids: deque[str], copies: Sequence[Copy], *, seed: int
    ) -> None:
        self.device, self._ids, self._copies = device, ids, copies
        self._order = Random(seed)
        self.undecided: list[Request] = []
        self.conflicts = self.rejected = 0

    def write(self) -> None:
        kinds = [self._create, self._change, self._change, self._act, self._delete, self._push]
        request = self._order.choice([*kinds, self._push, self._restore, self._batch, self._list])()
        if self._order.random() < 0.5:
            key = {"Idempotency-Key": str(uuid4())}
            request = replace(request, headers={**request.headers, **key})
        answer = self.device.send(request)
        if answer.outcome == IN_FLIGHT:
            self.undecided.append(request)
        self._count(answer)

    def write_undecided(self) -> None:
        for request in self.undecided:
            answer = self.device.send(request)
            assert answer.outcome != IN_FLIGHT
            self._count(answer)

    def _count(self, answer: Answer) -> None:
        if answer.status == 412:
            self.conflicts += 1
        elif answer.status == 200 and "conflicts" in answer.data:
            self.conflicts += len(answer.data["conflicts"])
            self.rejected += len(answer.data["rejected"])

    def _known_id(self) -> str:
        return self._order.choice(self._ids)

    def _new_id(self) -> str:
        self._ids.append(new_id := str(uuid4()))
        return new_id

    def _seen(self, todo_id: str) -> dict[str, Any]:
        """Return the todo as one of the copies has it."""
        todo: dict[str, Any] = self._order.choice(self._copies).todos.get(todo_id, {})
        return todo

    def _title(self) -> str:
        return f"Number {self._order.randrange(1000)}"

    def _create(self) -> Request:
        return Request("POST", TODOS, {"id": self._new_id(), "title": self._title()})

    def _change(self) -> Request:
        todo_id = self._known_id()
        etag = self._seen(todo_id).get("etag") if self._order.random() < 0.5 else None
        headers = {"If-Match": etag} if etag else {}
        return Request("PATCH", f"{TODOS}{todo_id}/", {"title": self._title()}, headers)

    def _act(self) -> Request:
        action = self._order.choice(["complete", "reopen"])
        return Request("POST", f"{TODOS}{self._known_id()}/{action}/")

    def _delete(self) -> Request:
        query = "?permanent=true" if self._order.random() < 0.2 else ""
        return Request("DELETE", f"{TODOS}{self._known_id()}/{query}")

    def _restore(self) -> Request:
        return Request("POST", f"{TODOS}{self._known_id()}/restore/")

    def _batch(self) -> Request:
        first, second = self._new_id(), self._new_id()
        operations = [
            {"op": "create", "id": first, "title": self._title()},
            {"op": "create", "id": second, "title": self._title()},
            {"op": "update", "id": first, "priority": "high"},
            {"op": "delete", "id": second},
            {"op": "update", "id": self._known_id(), "title": self._title()},
        ]
        return Request("POST", f"{TODOS}batch/", {"operations": operations})

    def _push(self) -> Request:
        rows: list[dict[str, Any]] = [
            {"newDocumentState": {"id": self._new_id(), "title": self._title()}},
            {"newDocumentState": {"id": str(uuid4()), "title": ""}},
        ]
        for seen in filter(None, [self._seen(self._known_id()) for _ in range(5)]):
            new = {**seen, "title": self._title(), "deleted": self._order.random() < 0.3}
            rows.append({"newDocumentState": new, "assumedMasterState": seen})
        self._order.shuffle(rows)
        return Request("POST", f"{TODOS}sync/", rows)

    def _list(self) -> Request:
        """Delete a list that has a todo, which changes the todo."""
        list_id, todo = str(uuid4()), f"{TODOS}{self._known_id()}/"
        self.device.send(Request("POST", LISTS, {"id": list_id, "name": self._title()}))
        self.device.send(Request("PATCH", todo, {"list_id": list_id}))
        return Request("DELETE", f"{LISTS}{list_id}/")
