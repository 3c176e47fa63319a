"""Several changes in one transaction, in their order: all or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework import serializers

from api.bodies.fields import CANONICAL_UUID, ArrayField, CanonicalUUIDField
from api.bodies.renderers import octets_of
from api.bodies.serializers import StrictSerializer, field_error
from api.bodies.text import TextField
from api.errors.exceptions import (
    ContentTooLarge,
    IdTaken,
    PreconditionError,
    PreconditionFailed,
)
from api.owned import counting
from api.owned.creation import create_once
from api.writes.conditional import require_match
from authn.users import TokenUser
from todos.models import Todo
from todos.serializers import TodoSerializer

MAX_OPERATIONS = 100
ANSWER = '{"results":[]}'
OPERATIONS = ("create", "update", "delete", "complete", "reopen")


class TargetSerializer(StrictSerializer):
    """The todo of an operation, and optionally its entity tag."""

    id = CanonicalUUIDField()
    etag = TextField(required=False, trim_whitespace=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """``fields`` are validated later, because earlier operations may change the todo.

    ``mistake`` is the error of an invalid operation. It waits until the others have been tried,
    because a stale etag among them comes first.
    """

    op: str
    fields: Mapping[str, Any]
    id: UUID | None = None
    etag: str | None = None
    mistake: Any = None


class OperationField(serializers.Field[Operation, Any, Any, Any]):
    """``{"op": …}`` with the fields that this operation takes."""

    default_error_messages = {"not_an_object": "Send an operation as an object."}

    def to_internal_value(self, data: Any) -> Operation:
        try:
            return self._operation(data)
        except serializers.ValidationError as error:
            return Operation("", {}, mistake=error.detail)

    def _operation(self, data: Any) -> Operation:
        if not isinstance(data, Mapping):
            self.fail("not_an_object")
        fields = {**data}
        op = fields.pop("op", None)
        if op not in OPERATIONS:
            raise field_error("op", "invalid_op", f"Send as op one of {', '.join(OPERATIONS)}.")
        if op == "create":
            return Operation(op, fields)
        if op == "update":
            target = {name: fields.pop(name) for name in ("id", "etag") if name in fields}
            return Operation(op, fields, **TargetSerializer.read(target))
        return Operation(op, {}, **TargetSerializer.read(fields))


class BatchSerializer(StrictSerializer):
    operations = ArrayField(child=OperationField(), min_length=1, max_length=MAX_OPERATIONS)


def run_batch(user: TokenUser, data: Any, *, max_octets: int) -> dict[str, list[Any]]:
    """Return each todo as its operation left it, or ``None`` for a deleted one.

    Raises the errors of single requests, with pointers such as ``/operations/3/title``. A todo of
    another owner gets the error of a missing one. Raises ``ContentTooLarge``, and changes nothing,
    if the answer would have more than ``max_octets``.

    Costs a query that locks the owner, one that reads the todos, and one for each change. A change
    that sets a list looks it up.
    """
    operations = BatchSerializer.read(data)["operations"]
    with transaction.atomic():
        batch = Batch(user, operations)
        results = [batch.attempt(index, each) for index, each in enumerate(operations)]
        batch.require_success()
        if sum(octets_of(each) + len(",") for each in results) > max_octets - len(ANSWER) + len(
            ","
        ):
            raise ContentTooLarge("The answer would be too large. Name fewer todos at once.")
    return {"results": results}


def canonical_ids(texts: Iterable[str]) -> list[UUID]:
    return [*map(UUID, filter(CANONICAL_UUID.fullmatch, texts))]


class Batch:
    """The locked todos of a batch, and its errors so far."""

    def __init__(self, user: TokenUser, operations: Sequence[Operation]) -> None:
        self._user = user
        counting.lock(user.pk)
        created = {str(each.fields.get("id")) for each in operations if each.op == "create"}
        ids = {*canonical_ids(created), *(each.id for each in operations if each.id is not None)}
        rows = Todo.objects.owned_by(user).as_shown().filter(pk__in=ids)
        self._todos = {todo.pk: todo for todo in rows}
        # No client can know the new etag of a todo that an earlier operation changed or made.
        self._before: dict[UUID, Any] = {}  # how it was before the batch, or None if it was not
        self._precondition_error: PreconditionError | None = None
        self._id_taken: IdTaken | None = None
        self._errors: dict[str, Any] = {}

    def attempt(self, index: int, operation: Operation) -> Any:
        try:
            return self._apply(operation)
        except PreconditionError as error:
            self._precondition_error = self._precondition_error or error.at(
                f"/operations/{index}/etag"
            )
        except IdTaken as error:
            self._id_taken = self._id_taken or error.at(f"/operations/{index}/id")
        except serializers.ValidationError as error:
            self._errors[str(index)] = error.detail

    def require_success(self) -> None:
        if self._precondition_error:
            raise self._precondition_error
        if self._id_taken:  # an error of a later operation on this id would only follow from it
            raise self._id_taken
        if self._errors:
            raise serializers.ValidationError({"operations": self._errors})

    def _apply(self, operation: Operation) -> Any:
        if operation.mistake:
            raise serializers.ValidationError(operation.mistake)
        if operation.op == "create":
            return TodoSerializer.shown(self._create(operation.fields))
        todo = self._target(operation)
        match operation.op:
            case "update":
                todo.change(**TodoSerializer.read(operation.fields, todo, partial=True))
            case "delete":
                todo.remove()
                del self._todos[todo.pk]
                return None
            case op:
                todo.change(completed=op == "complete")
        return TodoSerializer.shown(todo)

    def _create(self, body: Mapping[str, Any]) -> Todo:
        fields = TodoSerializer.read(body)
        if "id" not in fields:
            return Todo.objects.create(owner_id=self._user.pk, **fields)
        sent = TodoSerializer.read(body, partial=True)
        todo: Todo
        todo, is_new = create_once(Todo, self._user, fields, sent=sent)
        self._todos[todo.pk] = todo
        self._before.setdefault(todo.pk, None if is_new else TodoSerializer.shown(todo))
        return todo

    def _target(self, operation: Operation) -> Todo:
        todo = self._todos.get(operation.id) if operation.id else None
        if todo is None:
            raise field_error("id", "not_found", "There is no such todo.")
        if operation.etag is not None or todo.pk not in self._before:
            self._require_match(operation.etag, todo)
        self._before.setdefault(todo.pk, TodoSerializer.shown(todo))
        return todo

    def _require_match(self, etag: str | None, todo: Todo) -> None:
        try:
            require_match(etag, todo.etag, is_list=False)
        except PreconditionFailed as failed:
            failed.current = self._before.get(todo.pk, TodoSerializer.shown(todo))
            raise
