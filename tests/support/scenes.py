"""The scene of each story of ``tests/support/stories.py``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from api.owned.registry import Resource
from tests.support.meanwhile import Meanwhile
from tests.support.rows import make_row


@dataclass(frozen=True, slots=True)
class Scene:
    """Alice, a row of hers, and a way to act in the middle of her next request."""

    alice: Client
    resource: Resource
    row: Any
    meanwhile: Meanwhile

    @property
    def example(self) -> dict[str, Any]:
        return {**self.resource.view.serializer_class.example}

    @property
    def path(self) -> str:
        return f"{self.resource.path}{self.row.pk}/"

    def make(self) -> Any:
        return make_row(self.resource.view.model)

    def post(self, body: Any, *, path: str = "", **headers: str) -> Any:
        return self._send("POST", path or self.resource.path, body, headers)

    def patch(self, body: Any, **headers: str) -> Any:
        return self._send("PATCH", self.path, body, headers)

    def delete(self, **headers: str) -> Any:
        return self.alice.delete(self.path, headers=headers)

    def change_meanwhile(self) -> None:
        live = self.resource.view.model.objects.filter(owner_id="alice", deleted_at=None)
        self.meanwhile(live.filter(pk=self.row.pk).update)

    def remove_meanwhile(self) -> None:
        self.meanwhile(self.row.remove)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        return self.alice.generic(
            method, path, json.dumps(body), "application/json", headers=headers
        )
