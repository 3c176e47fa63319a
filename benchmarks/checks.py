"""Check the answers of a server before its speed is measured."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from benchmarks.asking import Answer
from benchmarks.installed import CannotRun
from benchmarks.operations import NEW
from benchmarks.owners import Group, token
from benchmarks.seed import bodies
from benchmarks.subjects import PAGE
from benchmarks.targets import Target


def check(target: Target, group: Group) -> None:
    """List, get and create once each. Raises ``CannotRun`` for a wrong answer."""
    number = group.owners // 2
    bearer = token(group.owner(number))
    _check_reading(target, group, number, bearer)
    _check_creating(target, group.owner(number), bearer)
    target.settle()


def _check_reading(target: Target, group: Group, number: int, bearer: str) -> None:
    newest = group.todos_each
    wanted = [group.todo_id(number, newest - older) for older in range(PAGE)]
    answer = target.send(target.subject.newest(), bearer)
    listed = target.subject.listed(answer.data)
    _require(target, answer, 200, [todo["id"] for todo in listed] == wanted)
    answer = target.send(target.subject.one(wanted[0]), bearer)
    posted = list(bodies(newest))[-1]
    _require(target, answer, 200, _has(answer.data, {"id": wanted[0], **posted}))
    _require(target, answer, 200, _has(listed[0], answer.data))


def _check_creating(target: Target, owner: str, bearer: str) -> None:
    answer = target.send(target.subject.new(NEW), bearer)
    made = target.subject.created(answer.data)
    _require(target, answer, 201, _has(made, NEW) and _owner_of(target, made["id"]) == owner)
    answer = target.send(target.subject.one(made["id"]), bearer)
    _require(target, answer, 200, _has(answer.data, NEW))


def _has(todo: Any, fields: Any) -> bool:
    return all(todo[name] == value for name, value in fields.items())


def _owner_of(target: Target, todo_id: str) -> str:
    query = sql.SQL("SELECT owner_id FROM {} WHERE id = {}")
    table = sql.Identifier(target.subject.table)
    [(owner,)] = target.database.execute(query.format(table, todo_id))
    return str(owner)


def _require(target: Target, answer: Answer, status: int, content: bool) -> None:  # noqa: FBT001
    if answer.status != status or not content:
        raise CannotRun(f"{target.name} answered wrongly: {answer.status} {answer.body[:500]!r}")
