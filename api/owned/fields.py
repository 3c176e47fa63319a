"""Model fields of owned models: followers of other fields, and links to other rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.utils.functional import cached_property

from api.bodies.serializers import field_error
from api.bodies.text import folded, folded_lines

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = object


class Follower(_Field):
    """A mixin for a column that every insert and every change of the fields ``of`` set again."""

    def __init__(self, *args: Any, of: str | tuple[str, ...], **kwargs: Any) -> None:
        self.of = (of,) if isinstance(of, str) else tuple(of)  # attribute names
        self.sources = frozenset(self.of)
        super().__init__(*args, **{"editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def value_from(self, row: Any, moment: datetime, *values: Any) -> Any:
        """Return the value for the ``values`` of the fields ``of``, as the database has them."""
        raise NotImplementedError

    def following(self, row: Any, moment: datetime) -> Any:
        """Return the value for a row that is written at ``moment``.

        Raises ``TypeError`` for an expression in a field that it follows, ``ValidationError`` for a
        text that is no value, and what ``value_from`` raises.
        """
        values = []
        for field in self._followed:
            value = getattr(row, field.attname)
            if hasattr(value, "resolve_expression"):
                raise TypeError(
                    f"{self.attname} follows from {field.attname}, which an expression would set: "
                    "set a value on each row."
                )
            values.append(field.to_python(value))
        return self.value_from(row, moment, *values)

    @cached_property
    def _followed(self) -> list[Any]:
        return [self.model._meta.get_field(name) for name in self.of]


class FoldedField(Follower, models.TextField):  # type: ignore[type-arg]
    """A copy to search and sort by, without case: of a text, or of a list of lines.

    The copy of null is blank.
    """

    def value_from(self, row: Any, moment: datetime, *values: Any) -> str:
        [value] = values
        if value is None and self._followed[0].null:
            return ""
        if isinstance(value, str):
            return folded(value)
        if isinstance(value, list | tuple) and all(isinstance(line, str) for line in value):
            return folded_lines(value)
        raise TypeError(f"{self.of[0]} is {value!r}: set it to a text or to a list of texts.")


class SinceField(Follower, models.DateTimeField):  # type: ignore[type-arg]
    """The moment since which a boolean is true, or null."""

    def value_from(self, row: Any, moment: datetime, *values: Any) -> datetime | None:
        [is_true] = values
        return (getattr(row, self.attname) or moment) if is_true else None


class JSONType(models.Func):
    """The type of a JSON value, such as ``array``: for a constraint."""

    function = "JSON_TYPE"
    output_field = models.TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, function="JSONB_TYPEOF")


class Readable(models.Func):
    """Tell if Python can read these columns, and as Django writes them: for a constraint.

    PostgreSQL stores ``infinity`` and ``24:00``, and SQLite any value in any column.
    """

    output_field = models.BooleanField()
    # SQLite has no types of its own for these. IS, because a constraint admits NULL.
    # SQLite computes 24:00 and February 31 only when it adds something, such as no days.
    # Django cannot introspect a short word after ", ".
    sqlite = {
        "BigIntegerField": "CAST({} AS INTEGER) IS {}",
        "BooleanField": "({} = 0 OR {} = 1)",
        "CharField": "TYPEOF({}) <> 'blob'",
        "DateField": "DATE({},'+0 days') IS {} AND {} >= '0001-'",
        "DateTimeField": (
            "DATETIME(SUBSTR({},1,19),'+0 days') || SUBSTR({},20,7) IS {} AND {} >= '0001-'"
            " AND SUBSTR({} || '.000000',20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]*'"
        ),
        "IntegerField": "CAST({} AS INTEGER) IS {}",
        "PositiveSmallIntegerField": "CAST({} AS INTEGER) IS {}",
        "TextField": "TYPEOF({}) <> 'blob'",
        "TimeField": (
            "TIME(SUBSTR({},1,8),'+0 days') || SUBSTR({},9,7) IS {}"
            " AND SUBSTR({} || '.000000',9) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]*'"
        ),
        "UUIDField": "LOWER({}) IS {} AND LENGTH({}) = 32 AND TRIM({},'0123456789abcdef') = ''",
    }
    postgresql = {
        "DateField": "{} BETWEEN '0001-01-01' AND '9999-12-31'",
        "DateTimeField": "{} >= '0001-01-01 00:00+00' AND {} < '10000-01-01 00:00+00'",
        "TimeField": "{} < '24:00'",
    }

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **options: Any
    ) -> tuple[str, Any]:
        templates = getattr(self, connection.vendor)
        conditions, parameters = [], []
        for column in self.get_source_expressions():
            if template := templates.get(column.output_field.get_internal_type()):
                sql, values = compiler.compile(column)
                conditions.append(template.replace("{}", sql))
                parameters += [*values] * template.count("{}")
        return f"({' AND '.join(conditions)})", parameters


class OwnedForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A link to another row of the same owner, or null.

    A target that is missing, in the trash or of another owner is one and the same error. The lock
    of the owner keeps a target until the write ends. When the target goes, ``OwnedRow.remove``
    empties the link and renews versions.
    No constraint in the database: a table that is partitioned by owner has no key without it.
    """

    def __init__(self, to: Any, **kwargs: Any) -> None:
        kwargs |= {"on_delete": models.DO_NOTHING, "db_constraint": False, "null": True}
        super().__init__(to, **{"blank": True, "related_name": "+", **kwargs})

    def db_check(self, connection: Any) -> str | None:
        """Let SQLite refuse a text that is no UUID."""
        if connection.vendor != "sqlite":
            return None
        return Readable.sqlite["UUIDField"].replace("{}", connection.ops.quote_name(self.column))

    def empty(self, target: Any) -> None:
        """Empty the links to a row that goes, and renew the versions of the rows with them."""
        own = self.model._default_manager.filter(owner_id=target.owner_id)
        rows = own.filter(**{self.attname: target.pk}).exclude(pk=target.pk)
        rows.update(**{self.attname: None})

    def require_targets(self, owner_id: str, ids: Collection[UUID]) -> None:
        """Raise ``ValidationError`` if the owner lacks one. Needs the lock of the owner."""
        own = self.related_model._default_manager.filter(owner_id=owner_id, deleted_at=None)
        if ids and own.filter(pk__in=ids).count() < len(ids):
            raise field_error(self.attname, "not_found", missing(self.related_model))


def missing(model: Any) -> str:
    return f"There is no such {model._meta.verbose_name}."


@lru_cache
def links_of(model: Any) -> list[OwnedForeignKey]:
    return [field for field in model._meta.concrete_fields if isinstance(field, OwnedForeignKey)]


@lru_cache
def links_to(model: Any) -> list[OwnedForeignKey]:
    relations = model._meta.get_fields(include_hidden=True)
    fields = (relation.field for relation in relations if relation.auto_created)
    return [field for field in fields if isinstance(field, OwnedForeignKey)]


@lru_cache
def followers_of(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if isinstance(field, Follower)]


def columns_of(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the names of their columns: ``list=row`` as ``list_id=row.pk``."""
    return {
        model._meta.get_field(name).attname: value.pk if isinstance(value, models.Model) else value
        for name, value in values.items()
    }
