"""An answer has at most 1 MiB: a page ends earlier, and a batch is refused."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from api.lists.pagination import CURSOR_OCTETS
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.walking import shown, walk

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024
EMOJI = "\U0001f600"  # one character, four octets


def make_large(count: int) -> list[str]:
    return [make_todo(title=str(n), description=EMOJI * 10_000).title for n in range(count)]


def sizes(client: Client, links: list[str]) -> list[int]:
    return [len(client.get(link).content) for link in links]


@pytest.mark.parametrize("ordering", ["created_at", "-created_at", "title", "due"])
def test_pages_of_large_todos_end_at_1_mib_and_skip_nothing(alice: Client, ordering: str) -> None:
    titles = make_large(60)
    first = f"/api/todos/?limit=200&ordering={ordering}"
    forth = walk(alice, first)
    assert [len(page["results"]) for page in forth] == [25, 25, 10]
    assert sorted(title for page in forth for title in shown(page)) == sorted(titles)
    back = walk(alice, forth[-1]["previous"], "previous")
    assert [shown(page) for page in reversed(back)] == [shown(page) for page in forth[:-1]]
    links = [first, *(page["next"] for page in forth if page["next"]), forth[-1]["previous"]]
    assert all(MIB * 0.9 < size <= MIB for size in sizes(alice, [*links[:2], links[-1]]))


def test_a_page_that_is_read_backward_ends_early_at_its_far_end(alice: Client) -> None:
    titles = make_large(30)
    newest = make_todo(title="small")
    pages = walk(alice, "/api/todos/?limit=31&ordering=created_at")
    assert [len(page["results"]) for page in pages] == [25, 6]
    assert shown(pages[-1]) == [*titles[25:], newest.title]
    [before] = walk(alice, pages[-1]["previous"], "previous")
    assert (shown(before), before["previous"]) == (titles[:25], None)
    assert shown(alice.get(before["next"]).json()) == shown(pages[-1])


def test_a_page_that_ends_early_costs_one_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_large(30)
    with django_assert_num_queries(1):
        assert len(alice.get("/api/todos/?limit=200").json()["results"]) < 30


def test_a_page_of_small_todos_is_as_long_as_its_limit(alice: Client) -> None:
    for number in range(201):
        make_todo(description=f"{number} " + "x" * 800)
    assert len(alice.get("/api/todos/?limit=200").json()["results"]) == 200


def test_a_todo_that_is_larger_than_an_answer_is_still_shown(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bodies.renderers.MAX_ANSWER_OCTETS", 1)
    titles = make_large(3)
    pages = walk(alice, "/api/todos/?ordering=created_at")
    assert [shown(page) for page in pages] == [[title] for title in titles]


@pytest.mark.parametrize("accept", ["application/json; indent=8", "application/json; x=1"])
def test_indentation_does_not_pass_1_mib(alice: Client, accept: str) -> None:
    for _ in range(200):
        make_todo(tags=[*"abcdefghijklmnopqrst"], description='"' * 3000)
    response = alice.get("/api/todos/?limit=200", headers={"accept": accept})
    assert response.status_code == 200
    assert MIB / 8 < len(response.content) <= MIB


def test_the_longest_links_fit_into_1_mib(alice: Client) -> None:
    chance = random.Random(1)
    letters = [chr(code) for code in range(0x10400, 0x10428)] + ["\ufb03"]
    for _ in range(40):
        title = "".join(chance.choices(letters, k=500))
        make_todo(title=title, description=EMOJI * 9_000, tags=["\ufb03" * 50])
    query = urlencode([("limit", 200), ("ordering", "title"), *[("tag", "\ufb03" * 50)] * 20])
    response = alice.get(f"/api/todos/?{query}")
    body = response.json()
    assert len(body["results"]) < 40
    assert MIB * 0.8 < len(response.content) <= MIB
    assert len(body["next"]) <= 3 * len(query) + CURSOR_OCTETS


class TestBatch:
    def complete(self, client: Client, todo: Todo, count: int) -> Any:
        operations = [{"op": "complete", "id": str(todo.pk)}] * count
        body = {"operations": operations}
        return client.post("/api/todos/batch/", body, content_type="application/json")

    @pytest.mark.parametrize(("count", "fits"), [(25, True), (26, False)])
    def test_a_batch_whose_answer_would_pass_1_mib_is_413(
        self, alice: Client, count: int, *, fits: bool
    ) -> None:
        todo = make_todo(description=EMOJI * 10_000)
        response = self.complete(alice, todo, count)
        assert response.status_code == (200 if fits else 413)
        assert Todo.objects.get().completed is fits
        assert len(response.content) <= MIB
        if not fits:
            assert response.json()["code"] == "content_too_large"

    def test_the_answer_of_a_batch_may_have_1_mib_to_the_octet(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        todo = make_todo(completed=True)
        octets = len(self.complete(alice, todo, 3).content)
        for limit, status in ((octets + 1, 200), (octets, 200), (octets - 1, 413)):
            monkeypatch.setattr("api.bodies.renderers.MAX_ANSWER_OCTETS", limit)
            assert self.complete(alice, todo, 3).status_code == status

    def test_an_invalid_operation_comes_before_a_too_large_answer(self, alice: Client) -> None:
        todo = make_todo(description=EMOJI * 10_000)
        operations = [{"op": "complete", "id": str(todo.pk)}] * 99
        body = {"operations": [*operations, {"op": "create", "title": ""}]}
        response = alice.post("/api/todos/batch/", body, content_type="application/json")
        assert (response.status_code, response.json()["code"]) == (400, "validation_failed")
