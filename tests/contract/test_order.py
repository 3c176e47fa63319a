"""A request with several mistakes is answered for the first: 401, 429, 404, 403, 412 or 428, 400.

The tests of each room have the answer to a single mistake.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from typing import Any

import pytest
from pytest_django import Settings

from authn.testing import Bearer, Mint
from tests.settings import UNLIMITED
from tests.support.routes import CHANGES, ROUTES, every_case, make_row_for, path_of

pytestmark = pytest.mark.django_db

# A change of a row: its route, its method and its mistakes.
Change = Callable[[str, str, Collection[str]], Any]

EXHAUSTED = (0, 60)
MISTAKES = {
    "a refused token": 401,
    "no allowance left": 429,
    "a missing row": 404,
    "a foreign row": 403,
    "a stale If-Match": 412,
    "no If-Match": 428,
    "a bad query and body": 400,
}


@pytest.fixture
def change(mint: Mint, bearer: Bearer, settings: Settings) -> Change:
    def change(route: str, method: str, mistakes: Collection[str]) -> Any:
        settings.REQUIRE_IF_MATCH = True
        settings.THROTTLE_USER = EXHAUSTED if "no allowance left" in mistakes else UNLIMITED
        expired = {"exp": 1} if "a refused token" in mistakes else {}
        row = make_row_for(route, owner_id="bob" if "a foreign row" in mistakes else "alice")
        path = path_of(route, uuid.uuid4() if "a missing row" in mistakes else row.pk)
        body = ROUTES[route].body
        headers = {"if-match": row.etag}
        if "a stale If-Match" in mistakes:
            headers = {"if-match": '"stale"'}
        elif "no If-Match" in mistakes:
            headers = {}
        if "a bad query and body" in mistakes:
            path, body = f"{path}?colour=red", "{"
        client = bearer(mint(sub="alice", **expired))
        return client.generic(method, path, body, "application/json", headers=headers)

    return change


@every_case(CHANGES)
@pytest.mark.parametrize("first", MISTAKES)
def test_the_first_mistake_is_answered(change: Change, route: str, method: str, first: str) -> None:
    mistakes = [*MISTAKES]
    response = change(route, method, mistakes[mistakes.index(first) :])
    assert response.status_code == MISTAKES[first]


@every_case(CHANGES)
def test_a_change_without_mistakes_is_made(change: Change, route: str, method: str) -> None:
    assert change(route, method, []).status_code == ROUTES[route].answers[method]
