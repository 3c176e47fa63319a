from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoAssertNumQueries

from authn.testing import Clock
from operations.applied_migrations import (
    FRESH_SECONDS,
    AppliedMigrations,
    MigrationsPending,
    all_applied,
    get_applied_migrations,
    needed_by_the_code,
    needed_of,
)

ONE, TWO, BOTH = ("todos", "0001_one"), ("todos", "0002_two"), ("todos", "0001_squashed_0002")


class Both(Migration):
    replaces = [ONE, TWO]


FOUND = {key: Migration(key[1], key[0]) for key in (ONE, TWO)}
PLAIN = needed_of(FOUND)
SQUASHED = needed_of({**FOUND, BOTH: Both(BOTH[1], BOTH[0])})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> AppliedMigrations:
    return AppliedMigrations(needed_by_the_code(), clock=clock)


def test_the_code_needs_the_migrations_of_every_app() -> None:
    assert {app for app, _ in needed_by_the_code()} == {
        config.label
        for config in apps.get_app_configs()
        if any(model._meta.managed for model in config.get_models())
    }


@pytest.mark.parametrize(
    ("applied", "expected"),
    [({ONE, TWO}, True), ({ONE, TWO, BOTH}, True), ({ONE}, False), (set(), False)],
)
def test_each_must_have_been_applied(applied: set[tuple[str, str]], *, expected: bool) -> None:
    assert all_applied(PLAIN, applied) is expected


@pytest.mark.parametrize(
    ("applied", "expected"),
    [({BOTH}, True), ({ONE, TWO}, True), ({ONE}, False), (set(), False)],
)
def test_one_that_replaces_others_is_as_good_as_they(
    applied: set[tuple[str, str]], *, expected: bool
) -> None:
    assert all_applied(SQUASHED, applied) is expected


@pytest.mark.django_db
def test_what_is_up_to_date_is_not_asked_again_for_some_seconds(
    state: AppliedMigrations, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    state.require()
    MigrationRecorder(connection).record_unapplied("todos", "0001_initial")
    clock.advance(FRESH_SECONDS - 0.001)
    with django_assert_num_queries(0):
        state.require()
    clock.advance(0.001)
    with django_assert_num_queries(2), pytest.raises(MigrationsPending):
        state.require()


@pytest.mark.django_db
def test_what_is_pending_is_asked_every_time(state: AppliedMigrations) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("todos", "0001_initial")
    for _ in range(2):
        with pytest.raises(MigrationsPending):
            state.require()
    recorder.record_applied("todos", "0001_initial")
    state.require()


@pytest.mark.django_db
def test_a_database_with_nothing_in_it_is_not_up_to_date(
    state: AppliedMigrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda recorder: False)
    with pytest.raises(MigrationsPending):
        state.require()


def test_the_code_is_read_once() -> None:
    assert get_applied_migrations() is get_applied_migrations()
