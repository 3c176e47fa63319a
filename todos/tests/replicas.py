"""A copy of the todos of a user, kept as a client of ``changes/`` keeps it."""

from __future__ import annotations

from typing import Any

from django.test import Client

from todos.models import Todo

CHANGES = "/api/todos/changes/"
MANY = 1000  # more pages than any test has


class Copy:
    """The todos of a user up to ``since``."""

    def __init__(self) -> None:
        self.start_again()

    def start_again(self) -> None:
        self.since, self.todos = 0, dict[str, Any]()

    def take(self, answer: Any) -> bool:
        """Store an answer, and return whether there is more."""
        for document in answer["documents"]:
            if document.pop("deleted"):
                self.todos.pop(document["id"], None)
            else:
                self.todos[document["id"]] = document
        self.since = answer["checkpoint"]["since"]
        return bool(answer["more"])


class Replica(Copy):
    """``pages`` counts the answers with a list of changes."""

    def __init__(self, client: Client, *, limit: int = 200) -> None:
        super().__init__()
        self._client, self._limit = client, limit
        self.pages = 0

    def pull(self) -> bool:
        """Ask once, and return whether there is more. Start again if the server says so."""
        query = {"since": self.since, "limit": self._limit}
        response = self._client.get(CHANGES, query)
        if response.status_code == 410:
            self.start_again()
            return True
        assert response.status_code == 200
        self.pages += 1
        return self.take(response.json())

    def pull_all(self) -> None:
        for _ in range(MANY):
            if not self.pull():
                return
        raise AssertionError("The changes have no end.")


def todos_of_alice(client: Client) -> dict[str, Any]:
    """Return what the server has, without ``changes/``."""
    ids = Todo.objects.filter(owner_id="alice", deleted_at=None).values_list("pk", flat=True)
    return {str(each): client.get(f"/api/todos/{each}/").json() for each in ids}
