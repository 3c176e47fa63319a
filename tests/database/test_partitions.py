"""On tables partitioned by owner, a request touches one partition: that of its user.

Needs ``-p tests.support.partitioned``, with which ``.ci/run`` runs the rest of the suite too.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client

from api.owned.registry import Resource, owned_models
from authn.testing import Bearer, Mint
from tests.support.partitioned import PARTITIONS, Partitioning
from tests.support.routes import (
    CASES,
    CASES_ABOUT_ONE_ROW,
    ask,
    every_case,
    every_resource,
    make_row_for,
)
from tests.support.rows import make_row
from tests.support.scenes import Scene
from tests.support.statements import TABLES, Statement, recorded
from tests.support.stories import Story, every_story
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.partitioned,
    pytest.mark.usefixtures("partitioning"),
]

PARTITION = re.compile(rf"(?:{'|'.join(TABLES)})_(\d+)")
OWNERS, TODOS_EACH = 1000, 20


def plan(statement: Statement) -> list[dict[str, Any]]:
    """The nodes of PostgreSQL's plan for a statement."""
    with connection.create_cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement.sql}", statement.parameters)
        (((explained,),),) = cursor.fetchall()
    return [*nodes(explained["Plan"])]


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


def partitions(statement: Statement) -> list[int]:
    """The numbers of the partitions read. An owner has the same number in every table."""
    names = (PARTITION.fullmatch(node.get("Relation Name", "")) for node in plan(statement))
    return [int(name[1]) for name in names if name]


def partition_of(owner_id: str) -> int:
    hashed = "satisfies_hash_partition('todos_todo'::regclass, %s, n, %s::varchar)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT n FROM generate_series(0, %s - 1) AS n WHERE {hashed}",
            [PARTITIONS, PARTITIONS, owner_id],
        )
        ((number,),) = cursor.fetchall()
    return int(number)


def touched(statements: list[Statement]) -> list[list[int]]:
    return [partitions(each) for each in statements if not (each.is_insert or each.is_miss)]


@pytest.fixture
def many_todos() -> None:
    """Insert enough todos for PostgreSQL to choose an index."""
    columns = [
        field.column
        for field in Todo._meta.fields
        if field.column not in ("id", "owner_id", "change_number")
    ]
    make_todo(owner_id="template")
    copied = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO todos_todo (id, owner_id, {copied})"
            f" SELECT gen_random_uuid(), 'owner ' || o, {copied} FROM todos_todo,"
            " generate_series(1, %s) AS o, generate_series(1, %s) WHERE owner_id = 'template'",
            [OWNERS, TODOS_EACH],
        )
        cursor.execute("ANALYZE todos_todo")


def test_rows_and_constraints_survive_the_conversion(partitioning: Partitioning) -> None:
    before, after = partitioning.before, partitioning.after
    assert after.rows == before.rows
    assert all(len(rows) == 3 * PARTITIONS for rows in after.rows.values())
    for table in (model._meta.db_table for model in owned_models()):
        assert before.constraints[table][f"{table}_pkey"]["columns"] == ["id"]
        before.constraints[table][f"{table}_pkey"]["columns"].append("owner_id")
    assert after.constraints == before.constraints


def test_every_partition_has_owners() -> None:
    assert {partition_of(str(number)) for number in range(100)} == set(range(PARTITIONS))


@every_case(CASES)
def test_a_request_of_the_owner_touches_the_owners_partition(
    alice: Client, route: str, method: str
) -> None:
    row = make_row_for(route)
    with recorded() as statements:
        ask(alice, method, route, row.pk)
    for each in touched(statements):
        assert {*each} == {partition_of("alice")}


@every_story
def test_a_story_touches_the_owners_partition(scene: Scene, story: Story) -> None:
    with recorded() as statements:
        story(scene)
    assert touched(statements)
    for each in touched(statements):
        assert {*each} == {partition_of("alice")}


@pytest.mark.parametrize("missing", [False, True], ids=["somebody else's", "missing"])
@every_case(CASES_ABOUT_ONE_ROW)
def test_a_foreign_or_missing_row_is_looked_up_in_every_partition(
    bob: Client, route: str, method: str, *, missing: bool
) -> None:
    row = make_row_for(route)
    with recorded() as statements:
        ask(bob, method, route, uuid.uuid4() if missing else row.pk)
    own, miss = statements
    assert partitions(own) == [partition_of("bob")]
    assert miss.is_miss
    assert sorted(partitions(miss)) == list(range(PARTITIONS))


@every_resource
def test_an_id_of_the_client_is_looked_up_in_every_partition(
    bob: Client, resource: Resource
) -> None:
    taken = make_row(resource.view.model, owner_id="alice")
    body = {**resource.view.serializer_class.example, "id": str(taken.pk)}
    with recorded() as statements:
        response = bob.post(resource.path, body, content_type="application/json")
    assert response.status_code == 409
    miss, own = statements
    assert miss.is_miss
    assert sorted(partitions(miss)) == list(range(PARTITIONS))
    assert partitions(own) == [partition_of("bob")]


@pytest.mark.usefixtures("many_todos")
def test_a_missing_todo_takes_one_index_lookup_in_each_partition(bob: Client) -> None:
    with recorded() as statements:
        bob.get(f"/api/todos/{uuid.uuid4()}/")
    limit, append, *lookups = plan(statements[-1])
    assert (limit["Node Type"], append["Node Type"]) == ("Limit", "Append")
    assert len(lookups) == PARTITIONS
    for lookup in lookups:
        assert lookup["Node Type"] in {"Index Scan", "Index Only Scan"}
        assert "id = " in lookup["Index Cond"]


@pytest.mark.usefixtures("many_todos")
def test_a_page_comes_from_an_index(bearer: Bearer, mint: Mint) -> None:
    with recorded() as statements:
        bearer(mint(sub="owner 1")).get("/api/todos/?limit=5")
    (page,) = statements
    assert [node["Node Type"] for node in plan(page)] == ["Limit", "Index Scan"]


def test_two_owners_may_have_the_same_id(alice: Client, bob: Client) -> None:
    todo = make_todo(title="Alice's")
    make_todo(id=todo.pk, owner_id="bob", title="Bob's")
    path = f"/api/todos/{todo.pk}/"
    assert bob.delete(path).status_code == 204
    assert alice.get(path).json()["title"] == "Alice's"
    assert bob.get(path).status_code == 403


def test_later_migrations_work() -> None:
    field = models.IntegerField(default=7)
    field.set_attributes_from_name("added")
    index = models.Index(fields=["owner_id", "priority"], name="added")
    todo = make_todo()
    with connection.schema_editor() as editor:
        editor.add_field(Todo, field)
        editor.add_index(Todo, index)
        editor.remove_index(Todo, Todo._meta.indexes[0])
        editor.add_index(Todo, Todo._meta.indexes[0])
        editor.remove_index(Todo, index)
        editor.remove_field(Todo, field)
    assert Todo.objects.get() == todo
