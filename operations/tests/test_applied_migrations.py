from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from operations.applied_migrations import (
    Key,
    MigrationsPending,
    needed_migrations,
    require_migrated,
)

ONE, TWO, BOTH = ("todos", "0001_one"), ("todos", "0002_two"), ("todos", "0001_squashed_0002")
Assume = Callable[[list[Key], list[Key]], None]


class Both(Migration):
    replaces = [ONE, TWO]


@pytest.fixture
def assume(monkeypatch: pytest.MonkeyPatch) -> Assume:
    """Pretend that the code has some migrations and that the database has applied others."""

    def load_disk(loader: MigrationLoader) -> None:
        loader.disk_migrations = {
            key: (Both if key == BOTH else Migration)(key[1], key[0]) for key in code
        }

    def applied_migrations(recorder: MigrationRecorder) -> dict[Key, None]:
        return dict.fromkeys(applied)

    def assume(of_code: list[Key], of_database: list[Key]) -> None:
        code[:], applied[:] = of_code, of_database

    code: list[Key] = []
    applied: list[Key] = []
    monkeypatch.setattr(MigrationLoader, "load_disk", load_disk)
    monkeypatch.setattr(MigrationLoader, "build_graph", load_disk)
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", applied_migrations)
    monkeypatch.setattr("operations.applied_migrations.needed_migrations", needed_anew)
    return assume


def needed_anew() -> dict[Key, set[Key]]:
    return needed_migrations.__wrapped__()


def test_the_code_needs_the_migrations_of_every_app() -> None:
    assert {app for app, _ in needed_migrations()} == {
        config.label
        for config in apps.get_app_configs()
        if any(model._meta.managed for model in config.get_models())
    }


def test_the_folders_of_migrations_are_read_once() -> None:
    assert needed_migrations() is needed_migrations()


@pytest.mark.parametrize(
    ("code", "applied"),
    [
        ([ONE, TWO], [ONE, TWO]),
        ([ONE, TWO], [ONE, TWO, BOTH]),
        ([ONE, TWO, BOTH], [BOTH]),
        ([ONE, TWO, BOTH], [ONE, TWO]),
    ],
    ids=str,
)
def test_a_database_with_every_migration_or_its_squashed_form_is_up_to_date(
    assume: Assume, code: list[Key], applied: list[Key]
) -> None:
    assume(code, applied)
    require_migrated()


@pytest.mark.parametrize(
    ("code", "applied"),
    [
        ([ONE, TWO], [ONE]),
        ([ONE, TWO], [BOTH]),
        ([ONE, TWO], []),
        ([ONE, TWO, BOTH], [ONE]),
        ([ONE, TWO, BOTH], []),
    ],
    ids=str,
)
def test_a_database_without_one_migration_is_not_up_to_date(
    assume: Assume, code: list[Key], applied: list[Key]
) -> None:
    assume(code, applied)
    with pytest.raises(MigrationsPending):
        require_migrated()


@pytest.mark.django_db
def test_an_empty_database_is_not_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    require_migrated()
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda recorder: False)
    with pytest.raises(MigrationsPending):
        require_migrated()
