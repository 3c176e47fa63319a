from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, ClassVar, Self, cast

from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.utils.timezone import now

from api.bodies.fields import etag_of
from api.bodies.serializers import field_error
from api.lists.ordering import Ordering
from api.owned.fields import columns_of, followers_of, links_of, links_to, missing
from api.owned.querysets import OwnedQuerySet, new_version
from authn.users import TokenUser
from database.compiled import Compiled, insert

# Examples for the compiler: each request puts its own in their place.
ANY_USER, ANY_ID = TokenUser(id=""), uuid.UUID(int=0)


class StaleRow(Exception):
    """The row was changed or deleted since it was loaded."""


class OwnedRow:
    """Methods of a row of an owner. Models in migrations have this base too."""

    _meta: Any
    _state: Any
    _default_manager: Any
    pk: Any
    owner_id: Any
    created_at: Any
    updated_at: Any
    version: Any

    @property
    def etag(self) -> str:
        """A strong entity tag (RFC 9110 section 8.8.1), which every change replaces."""
        return etag_of(self.version)

    def save(self, *, update_fields: Collection[str] | None = None, **options: Any) -> None:
        """Insert a new row, or write all loaded fields of a stored one as ``change`` does.

        Raises ``ValidationError`` for a link to a missing row, and ``StaleRow``.
        """
        if not self._state.adding:
            self._write(self._own_names(update_fields))
            return
        with self._links_locked(None):
            self.follow(None, self.created_at)
            if options.get("using") in (None, DEFAULT_DB_ALIAS):
                insert(cast("models.Model", self))
            else:
                super().save(**options)  # type: ignore[misc]

    def change(self, **values: Any) -> None:
        """Write the values that differ and nothing else, as one compare-and-set.

        Raises ``ValidationError`` for a link to a missing row. Raises ``StaleRow`` if the row is
        no longer as it was loaded.
        """
        columns = columns_of(self._meta.model, values)
        differing = {name: new for name, new in columns.items() if getattr(self, name) != new}
        if differing:
            for name, value in differing.items():
                setattr(self, name, value)
            self._write(differing)

    def remove(self) -> None:
        """Delete the row, and empty the links to it. Raises ``StaleRow``."""
        row, links = self._as_loaded(), links_to(self._meta.model)
        if not links:
            deleted, _ = row.erase()
        else:
            with transaction.atomic(using=self._state.db):
                row.select_for_update().values_list("pk").first()
                for link in links:
                    rows = link.model._default_manager.filter(owner_id=self.owner_id)
                    linked = rows.filter(**{link.attname: self.pk})
                    deque(linked.order_by("pk").select_for_update().values_list("pk"), maxlen=0)
                    linked.update(**{link.attname: None})
                deleted, _ = row.erase()
        if not deleted:
            raise StaleRow

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        self.remove()
        return 1, {self._meta.label: 1}

    def follow(self, names: Collection[str] | None, moment: datetime) -> dict[str, Any]:
        """Set the columns that follow from fields of these names, by default of all.

        Returns them with their values.
        """
        columns: dict[str, Any] = {"updated_at": moment}
        for field in followers_of(self._meta.model):
            if names is None or not field.sources.isdisjoint(names):
                columns[field.attname] = field.following(self, moment)
        self.__dict__.update(columns)
        return columns

    def lock_links(self) -> None:
        """Lock the rows that this row links to, as far as they are still there."""
        for link in links_of(self._meta.model):
            link.lock_targets(self.owner_id, {getattr(self, link.attname)} - {None})

    def _own_names(self, update_fields: Collection[str] | None) -> Collection[str]:
        """Return the loaded columns, or those of ``update_fields``, that follow from no others."""
        fixed = {"owner_id", "version", "updated_at", self._meta.pk.attname}
        fixed.update(field.attname for field in followers_of(self._meta.model))
        if update_fields is not None:
            return columns_of(self._meta.model, dict.fromkeys(update_fields)).keys() - fixed
        loaded = vars(self).keys() - fixed
        return [field.attname for field in self._meta.concrete_fields if field.attname in loaded]

    def _write(self, names: Collection[str]) -> None:
        as_loaded = self._as_loaded()
        with self._links_locked(names):
            written = {name: getattr(self, name) for name in names}
            columns = {**written, **self.follow(names, now()), "version": new_version()}
            if not as_loaded.write(**columns):
                raise StaleRow
        self.version = columns["version"]

    def _as_loaded(self) -> Any:
        rows = type(self)._default_manager.using(self._state.db)
        return rows.filter(owner_id=self.owner_id, pk=self.pk, version=self.version)

    @contextmanager
    def _links_locked(self, names: Collection[str] | None) -> Iterator[None]:
        links = [
            link
            for link in links_of(self._meta.model)
            if (names is None or link.attname in names) and getattr(self, link.attname) is not None
        ]
        if not links:
            yield
            return
        with transaction.atomic():
            for link in links:
                if not link.lock_targets(self.owner_id, [getattr(self, link.attname)]):
                    raise field_error(link.attname, "not_found", missing(link.related_model))
            yield


class OwnedModel(OwnedRow, models.Model):  # type: ignore[misc]
    """A row of an owner. ``owner_id`` is the ``sub`` of its owner's tokens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_id = models.CharField(max_length=255, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(editable=False)
    version = models.CharField(max_length=16, default=new_version, editable=False)

    objects: ClassVar[OwnedQuerySet[Any]] = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes: ClassVar = [
            models.Index(
                fields=["owner_id", "-created_at", "-id"], name="%(class)s_owner_newest_first"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="%(class)s_has_owner", condition=~models.Q(owner_id="")),
        ]

    @classmethod
    def owned(cls, user: TokenUser, row_id: uuid.UUID) -> Self | None:
        """Load a row of the user for showing or changing, by a statement compiled once."""
        return next(iter(_one(cls).rows(user.id, row_id)), None)

    @classmethod
    def first_owned(cls, user: TokenUser, ordering: Ordering, count: int) -> list[Self]:
        """Load the start of the user's list, by a statement compiled once."""
        return _first(cls, ordering, count).rows(user.id)


@cache
def _one(model: type[OwnedModel]) -> Compiled[Any]:
    return Compiled(model.objects.as_shown().owned_by(ANY_USER).filter(pk=ANY_ID))


@lru_cache(maxsize=128)
def _first(model: type[OwnedModel], ordering: Ordering, count: int) -> Compiled[Any]:
    rows = model.objects.as_shown().owned_by(ANY_USER)
    return Compiled(rows.order_by(*ordering.order_by())[:count])


@receiver(pre_save)
def _follow_a_fixture(*, instance: Any, raw: bool, **_: Any) -> None:
    """Let ``loaddata``, which calls no ``save()``, leave no column behind."""
    if raw and isinstance(instance, OwnedRow):
        instance.version = new_version()
        instance.follow(None, instance.updated_at or now())
