"""Every statement about rows and stored answers names the owner, except a look-up by id.

It tells 403 from 404, and if the id that a client has made is taken. Rows of different owners can
therefore be on different machines (docs/scaling.md).
"""

from __future__ import annotations

import io
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from api.models import ChangeCounter, IdempotencyKey
from api.owned.registry import Resource, owned_models
from tests.support.meanwhile import Meanwhile
from tests.support.routes import (
    CASES,
    CASES_ABOUT_ONE_ROW,
    OPEN_ROUTES,
    ROUTES,
    ROW_ID,
    ask,
    every_case,
    every_resource,
    make_row_for,
)
from tests.support.rows import make_row
from tests.support.scenes import Scene
from tests.support.statements import TABLES, Statement, recorded
from tests.support.stories import (
    Story,
    a_change_of_what_is_deleted_meanwhile,
    a_permanent_deletion,
    a_push_of_an_edit_and_a_deletion,
    changes_since_a_position,
    creates_with_ids_of_the_client,
    every_story,
    stories,
    the_trash,
)

pytestmark = pytest.mark.django_db

# A row that is gone is looked up once, and so is each id that a client has made.
MISSES_OF_STORIES: dict[Story, int] = {
    a_change_of_what_is_deleted_meanwhile: 1,
    creates_with_ids_of_the_client: 3,
}


def misses(statements: list[Statement]) -> int:
    return sum(statement.is_miss for statement in statements)


def without_owner(statements: list[Statement], owner_id: str) -> list[str]:
    return [
        statement.sql
        for statement in statements
        if not (statement.is_insert or statement.is_miss or statement.owner == owner_id)
    ]


def reaches_trash(route: str) -> bool:
    return route.endswith(("/trash/", "/restore/"))


@every_case(CASES)
def test_every_statement_of_an_owners_request_names_the_owner(
    alice: Client, route: str, method: str
) -> None:
    row = make_row_for(route)
    with recorded() as statements:
        ask(alice, method, route, row.pk)
    assert without_owner(statements, "alice") == []
    assert misses(statements) == 0
    is_answered = method in ROUTES[route].answers and method != "OPTIONS"
    if (route, method) in CASES_ABOUT_ONE_ROW or (ROUTES[route].model and is_answered):
        assert statements


@pytest.mark.parametrize("missing", [False, True], ids=["somebody else's", "missing"])
@every_case(CASES_ABOUT_ONE_ROW)
def test_a_foreign_or_missing_row_takes_one_statement_without_owner(
    bob: Client, route: str, method: str, *, missing: bool
) -> None:
    row = make_row_for(route)
    with recorded() as statements:
        ask(bob, method, route, uuid.uuid4() if missing else row.pk)
    assert without_owner(statements, "bob") == []
    assert [statement.is_miss for statement in statements] == [False, True]


@every_story
def test_every_statement_of_a_story_names_the_owner(scene: Scene, story: Story) -> None:
    with recorded() as statements:
        story(scene)
    assert without_owner(statements, "alice") == []
    assert misses(statements) == MISSES_OF_STORIES.get(story, 0)


@every_resource
def test_a_push_of_new_rows_takes_one_statement_without_owner(
    alice: Client, resource: Resource
) -> None:
    documents = [{"id": str(uuid.uuid4()), **resource.view.serializer_class.example}] * 2
    rows = [{"newDocumentState": each} for each in documents]
    with recorded() as statements:
        alice.post(f"{resource.path}sync/", rows, content_type="application/json")
    (look_up,) = without_owner(statements, "alice")
    table = resource.view.model._meta.db_table
    assert look_up.startswith(f'SELECT "{table}"."id" AS "pk" FROM "{table}" WHERE')


@every_case(CASES)
def test_every_other_route_leaves_out_the_trash(alice: Client, route: str, method: str) -> None:
    row = make_row_for(route)
    with recorded() as statements:
        ask(alice, method, route, row.pk)
    is_read = method in ("GET", "HEAD") or ROW_ID in route
    reaches = (reaches_trash(route) and is_read) or (method == "POST" and "/sync/" in route)
    assert any(each.finds_trash for each in statements) == reaches


@every_story
def test_every_other_story_leaves_out_the_trash(scene: Scene, story: Story) -> None:
    with recorded() as statements:
        story(scene)
    found = any(each.finds_trash for each in statements)
    reaches = (
        the_trash,
        a_permanent_deletion,
        changes_since_a_position,
        a_push_of_an_edit_and_a_deletion,
        creates_with_ids_of_the_client,  # an id in the trash is taken
    )
    assert found == (story in reaches)


def test_the_stories_send_every_kind_of_statement(alice: Client, meanwhile: Meanwhile) -> None:
    """Otherwise the tests of stories would miss a kind."""
    with recorded() as statements:
        for resource, _, story in stories():
            if story is not a_change_of_what_is_deleted_meanwhile:
                story(Scene(alice, resource, make_row(resource.view.model), meanwhile))
    kinds = {statement.kind for statement in statements}
    counter, keys = (model._meta.db_table for model in (ChangeCounter, IdempotencyKey))
    of_rows = {f"{v} {t}" for v in ("SELECT", "INSERT", "UPDATE") for t in {*TABLES} - {counter}}
    assert kinds == {*of_rows, f"SELECT {counter}", f"INSERT {counter}", f"DELETE {keys}"}


@pytest.mark.parametrize("route", OPEN_ROUTES)
def test_a_route_without_a_token_reads_no_row(anonymous: Client, route: str) -> None:
    with recorded() as statements:
        anonymous.get(route)
    assert statements == []


@pytest.mark.parametrize("table", TABLES)
def test_every_unique_constraint_names_the_owner(table: str) -> None:
    """The exception is the random id of a row, to which a partitioned table adds the owner."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table).values()
    unique = [each["columns"] for each in constraints if each["unique"] or each["primary_key"]]
    assert unique
    assert all("owner_id" in columns or columns == ["id"] for columns in unique)


def test_the_daily_command_looks_for_owners_and_then_names_each() -> None:
    for model in owned_models():
        make_row(model)
        long_ago = now() - timedelta(days=1000)
        model.objects.all().write(deleted_at=long_ago, updated_at=long_ago)
    with recorded() as statements:
        call_command("purge", stdout=io.StringIO())
    searches = [each.kind for each in statements if not each.owner and not each.is_insert]
    about = {*TABLES} - {ChangeCounter._meta.db_table}
    assert sorted(searches) == sorted(f"SELECT {table}" for table in about)
    deletions = {each.kind for each in statements if each.owner == "alice"}
    assert deletions >= {f"DELETE {model._meta.db_table}" for model in owned_models()}


@pytest.mark.parametrize(
    ("where", "owner"),
    [
        ('"todos_todo"."owner_id" = %s', "alice"),
        ('("todos_todo"."id" = %s AND "todos_todo"."owner_id" = %s)', "bob"),
        ('("todos_todo"."owner_id" = %s AND ("todos_todo"."x" = %s OR y))', "alice"),
        ('("todos_todo"."owner_id" = %s OR "todos_todo"."id" = %s)', None),
        ('(("todos_todo"."owner_id" = %s AND x) OR y)', None),
        ('NOT ("todos_todo"."owner_id" = %s)', None),
        ('"todos_todo"."id" = %s', None),
    ],
)
def test_the_recorder_finds_the_owner_outside_of_an_or(where: str, owner: str | None) -> None:
    sql = f'UPDATE "todos_todo" SET "owner_id" = %s WHERE {where}'
    assert Statement(sql, ("carol", "alice", "bob")).owner == owner
