"""Changes that a client made without a network, each made if the row is as the client saw it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from rest_framework import serializers

from api.bodies.fields import ArrayField, FlagField, NewIdField
from api.bodies.renderers import octets_of
from api.bodies.serializers import Fields, StrictSerializer, field_error
from api.errors.exceptions import ContentTooLarge, IdTaken, encodable
from api.errors.handler import errors_of
from api.owned import counting
from api.owned.models import OwnedModel, StaleRow
from api.owned.querysets import trash_begins
from api.owned.serializers import OwnedSerializer
from authn.users import TokenUser

MAX_ROWS = 100
NEW, ASSUMED = "newDocumentState", "assumedMasterState"
NOT_A_ROW = f"Send an object as {NEW}, an object or null as {ASSUMED}, and nothing else."
REFUSED = "The database refuses this row. Correct it before you send it again."


class AddressSerializer(StrictSerializer):
    """The members of a document that are no fields of its row."""

    id = NewIdField()
    deleted = FlagField(default=False)


@dataclass(frozen=True, slots=True)
class Change:
    """A new document, and the one that the client has seen.

    ``fields`` are validated later, because an edit may leave some out.
    """

    id: UUID
    deleted: bool
    fields: Mapping[str, Any]
    assumed: Mapping[str, Any] | None

    @classmethod
    def read(cls, sent: Any) -> Change:
        """Raise ``ValidationError`` with pointers into the new document."""
        document = document_of(sent)
        assumed = sent.get(ASSUMED) if document else None
        if document is None or not isinstance(assumed, dict | None) or sent.keys() - {NEW, ASSUMED}:
            raise serializers.ValidationError(NOT_A_ROW, "not_an_object")
        names = AddressSerializer().fields.keys()
        address = AddressSerializer.read({each: document[each] for each in names & document.keys()})
        fields = {name: value for name, value in document.items() if name not in names}
        return cls(**address, fields=fields, assumed=assumed)


def push(
    model: type[OwnedModel],
    serializer_class: type[OwnedSerializer],
    user: TokenUser,
    data: Any,
    *,
    max_octets: int,
) -> dict[str, list[Any]]:
    """Make each change of a row that is still as the client has seen it.

    Returns as ``conflicts`` the documents of the other rows, and as ``rejected`` the errors of
    invalid changes. Raises ``ValidationError`` unless ``data`` is a list of 1 to 100 changes.
    Raises ``ContentTooLarge``, and changes nothing, if the answer would have more than
    ``max_octets``.

    Costs a query that locks the owner, one that reads the rows, and one for each change. New ids
    cost one look-up without an owner. A change that sets a list looks it up.
    """
    sent = ArrayField(min_length=1, max_length=MAX_ROWS).run_validation(data)
    with transaction.atomic():
        answer = Push(model, serializer_class, user).answer(sent)
        if octets_of(answer) > max_octets:
            raise ContentTooLarge("The answer would be too large. Push fewer rows at once.")
    return answer


def document_of(sent: Any) -> dict[str, Any] | None:
    document = sent.get(NEW) if isinstance(sent, dict) else None
    return document if isinstance(document, dict) else None


class Push:
    """The rows of a push as they are by now, and the changes that were not made."""

    def __init__(
        self, model: type[OwnedModel], serializer_class: type[OwnedSerializer], user: TokenUser
    ) -> None:
        self._model, self._serializer_class, self._user = model, serializer_class, user
        self._rows: dict[UUID, Any] = {}
        self._of_others: Set[UUID] = frozenset()
        self._conflicts: dict[UUID, None] = {}
        self._rejected: list[dict[str, Any]] = []

    def answer(self, sent: list[Any]) -> dict[str, list[Any]]:
        changes = [self._read(each) for each in sent]
        ids = {each.id for each in changes if each}
        counting.lock(self._user.id)
        self._load(ids)
        self._of_others = self._model.objects.taken(ids - self._rows.keys())
        for each in filter(None, changes):
            self._attempt(each)
        documents = [self._serializer_class.document(self._rows[each]) for each in self._conflicts]
        return {"conflicts": documents, "rejected": self._rejected}

    def _read(self, sent: Any) -> Change | None:
        try:
            return Change.read(sent)
        except serializers.ValidationError as error:
            row_id = (document_of(sent) or {}).get("id")
            self._reject(encodable(row_id) if isinstance(row_id, str) else None, error)
        return None

    def _load(self, ids: Set[UUID]) -> None:
        rows = self._model.objects.kept_for(self._user).filter(pk__in=ids)
        self._rows.update({row.pk: row for row in rows})

    def _attempt(self, change: Change) -> None:
        try:
            self._apply(change)
        except serializers.ValidationError as error:
            self._reject(str(change.id), error)
        except (DataError, IntegrityError):
            self._reject(str(change.id), serializers.ValidationError(REFUSED, "invalid"))

    def _reject(self, row_id: str | None, error: serializers.ValidationError) -> None:
        self._rejected.append({"id": row_id, "errors": errors_of(error)})

    def _apply(self, change: Change) -> None:
        row = self._rows.get(change.id)
        if change.id in self._of_others:
            raise id_taken()
        if row is None:
            if not change.deleted:
                self._rows[change.id] = self._created(change)
        elif row.erased_at is not None or is_over(row):
            if not change.deleted:
                self._conflicts[row.pk] = None
        else:
            self._change(row, change)

    def _created(self, change: Change) -> Any:
        fields = self._serializer_class.read(change.fields)
        try:
            with transaction.atomic():
                owned = {"id": change.id, "owner_id": self._user.id}
                return self._model.objects.create(**owned, **fields)
        except IntegrityError:
            if self._model.objects.taken({change.id}):  # a moment ago
                raise id_taken() from None
            raise

    def _change(self, row: Any, change: Change) -> None:
        values = self._serializer_class.read(change.fields, row, partial=True)
        is_same = all(getattr(row, name) == value for name, value in values.items())
        if is_same and change.deleted == is_deleted(row):
            return
        if change.assumed is None or not self._has_content(row, change.assumed):
            self._conflicts[row.pk] = None
            return
        changed = copy(row)  # which a failure would leave half changed
        try:
            with transaction.atomic():
                changed.change(**values)
                if change.deleted and not is_deleted(row):
                    changed.remove()
                elif is_deleted(row) and not change.deleted:
                    changed.restore()
        except StaleRow:
            # The change of another row has changed this one too, or a server before 0.4 has.
            self._load({row.pk})
            self._conflicts[row.pk] = None
        else:
            self._rows[row.pk] = changed

    def _has_content(self, row: OwnedModel, assumed: Mapping[str, Any]) -> bool:
        fields = self._serializer_class().writable_fields()
        stored = {name: represented(field, getattr(row, name)) for name, field in fields.items()}
        is_as_seen = assumed.get("deleted", False) == is_deleted(row)
        return is_as_seen and content(stored, fields) == content(assumed, fields)


def id_taken() -> serializers.ValidationError:
    """Return the same error for every id that the user cannot have, whoever has it."""
    return field_error("id", IdTaken.default_code, IdTaken.default_detail)


def is_deleted(row: Any) -> bool:
    return row.deleted_at is not None


def is_over(row: Any) -> bool:
    """Tell if no one can restore the row any more, although ``purge`` has not run yet."""
    return is_deleted(row) and row.deleted_at <= trash_begins()


def represented(field: Any, value: Any) -> Any:
    return None if value is None else field.to_representation(value)


def content(document: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """Return the values of a document, with defaults for what it lacks.

    A value that is invalid stays as it is: the row may have it from before a rule.
    """
    values = {}
    for name, field in fields.items():
        value = document.get(name, serializers.empty)
        try:
            values[name] = field.run_validation(value)
        except serializers.ValidationError:
            values[name] = value
    return values
