from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, ClassVar, Self

from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models.signals import class_prepared, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.utils.timezone import now

from api.bodies.fields import etag_of
from api.lists.ordering import Ordering
from api.models import ChangeCounter
from api.owned import counting
from api.owned.fields import Follower, Readable, columns_of, followers_of, links_of, links_to
from api.owned.querysets import OwnedQuerySet
from authn.users import TokenUser
from database.compiled import Compiled

# Examples for the compiler: each request puts its own in their place.
ANY_USER, ANY_ID = TokenUser(id=""), uuid.UUID(int=0)


def new_version() -> str:
    """Return a random text, so that no row ever has an old version again."""
    return secrets.token_urlsafe(12)


class StaleRow(Exception):
    """The row was changed or deleted since it was loaded."""

    def __str__(self) -> str:
        return "The row was changed or deleted since it was loaded: load it again."


class OwnedRow:
    """Methods of a row of an owner. Models in migrations have this base too.

    ``create``, ``save`` and ``change`` send ``pre_save`` and ``post_save``. ``remove`` and
    ``delete`` send ``pre_delete`` and ``post_delete``, with the row as the database has it. As in
    Django, ``update`` and ``bulk_create`` send none; ``update`` does where it changes each row.
    """

    _meta: Any
    _state: Any
    _default_manager: Any
    pk: Any
    owner_id: Any
    created_at: Any
    updated_at: Any
    deleted_at: Any
    erased_at: Any
    change_number: Any
    version: Any

    @property
    def etag(self) -> str:
        """A strong entity tag (RFC 9110 section 8.8.1), which every change replaces."""
        return etag_of(self.version)

    def save(
        self,
        *,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Collection[str] | None = None,
    ) -> None:
        """Insert a new row, or write all loaded fields of a stored one as ``change`` does.

        Raises ``ValidationError`` for a link to a missing row, and ``StaleRow``.
        """
        if using not in (None, DEFAULT_DB_ALIAS):
            raise TypeError(f"Rows of owners are in the database default, not in {using}.")
        if self._state.adding or force_insert:
            if update_fields is not None or force_update:
                raise TypeError("This row is new: save() it as a whole, or update() a queryset.")
            self._insert()
        elif update_fields is None:
            loaded = vars(self).keys() - {each.attname for each in followers_of(self._meta.model)}
            names = (field.attname for field in self._meta.concrete_fields)
            self._write([name for name in names if name in loaded])
        elif update_fields:
            self._write(columns_of(self._meta.model, dict.fromkeys(update_fields)), update_fields)

    save.alters_data = True  # type: ignore[attr-defined]

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
            self._write(differing, differing)

    def remove(self, *, erased: bool = False) -> None:
        """Put the row into the trash, and empty the links to it.

        ``erased`` takes its content away: its texts are then blank, and no one can restore it.
        Raises ``StaleRow``, and changes nothing.
        """
        values: dict[str, Any] = {"deleted_at": self.deleted_at or now()}
        if erased:
            values |= {"erased_at": now(), **self._blank()}
        model, links = type(self), links_to(self._meta.model)
        signal = {"sender": model, "instance": self, "using": DEFAULT_DB_ALIAS, "origin": self}
        is_alone = not links and not pre_delete.has_listeners(model)
        with nullcontext() if is_alone else transaction.atomic():
            if not is_alone:
                counting.lock(self.owner_id)
                if not self._as_loaded().exists():
                    raise StaleRow
                pre_delete.send(**signal)
            vars(self).update(values)
            self._store(values)
            for link in links:
                link.empty(self)
            post_delete.send(**signal)

    def restore(self) -> None:
        """Take the row out of the trash. Raises ``StaleRow``."""
        self.change(deleted_at=None)

    restore.alters_data = True  # type: ignore[attr-defined]

    remove.alters_data = True  # type: ignore[attr-defined]

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        self.remove()
        return 1, {self._meta.label: 1}

    delete.alters_data = True  # type: ignore[attr-defined]

    def full_clean(
        self,
        exclude: Iterable[str] | None = None,
        validate_unique: bool = True,  # noqa: FBT001, FBT002 - as in Django
        validate_constraints: bool = True,  # noqa: FBT001, FBT002
    ) -> None:
        """Validate the fields as Django does, set what follows from them, then the constraints."""
        set_later = {"updated_at", *(field.name for field in followers_of(self._meta.model))}
        super().full_clean(  # type: ignore[misc]
            {*(exclude or ()), *set_later}, validate_unique, validate_constraints=False
        )
        self.follow(None, self.updated_at or self.created_at)
        if validate_constraints:
            self.validate_constraints(exclude)  # type: ignore[attr-defined]

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

    def _insert(self) -> None:
        with self._signals(created=True), self._links_locked(None):
            if self.pk is None:  # of a copy
                self.pk = self._meta.pk.get_default()
            self.follow(None, self.created_at)
            counting.insert(self)

    def _write(self, names: Iterable[str], update_fields: Iterable[str] | None = None) -> None:
        with self._signals(created=False, update_fields=update_fields):
            names = self._own_names(names)
            with self._links_locked(names):
                self._store(names)

    def _store(self, names: Iterable[str]) -> None:
        """Write these columns and what follows from them. Raises ``StaleRow``."""
        fields = [self._meta.get_field(name) for name in names]
        written = {field.attname: field.pre_save(self, add=False) for field in fields}
        columns = {**written, **self.follow([*names], now()), "version": new_version()}
        number = counting.update(self._as_loaded(), self.owner_id, columns)
        if number is None:
            raise StaleRow
        self.version, self.change_number = columns["version"], number

    def _blank(self) -> dict[str, Any]:
        """Return what takes the place of the content: defaults, or else nulls and blank texts."""
        given = {field.attname for field in OwnedModel._meta.get_fields()}
        return {
            field.attname: field.get_default()
            for field in self._meta.concrete_fields
            if field.attname not in given and not isinstance(field, Follower)
        }

    def _own_names(self, names: Iterable[str]) -> list[str]:
        """Put sources in the place of columns that follow, and leave out what stays."""
        fixed = {"owner_id", "version", "updated_at", "change_number", self._meta.pk.attname}
        sources = {field.attname: field.of for field in followers_of(self._meta.model)}
        own = dict.fromkeys(each for name in names for each in sources.get(name, (name,)))
        return [name for name in own if name not in fixed]

    @contextmanager
    def _signals(
        self, *, created: bool, update_fields: Iterable[str] | None = None
    ) -> Iterator[None]:
        """Send ``pre_save``, which may change the row, and then ``post_save``."""
        signal = {
            "sender": type(self),
            "instance": self,
            "raw": False,
            "using": DEFAULT_DB_ALIAS,
            "update_fields": None if update_fields is None else frozenset(update_fields),
        }
        pre_save.send(**signal)
        yield
        post_save.send(**signal, created=created)

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
            counting.lock(self.owner_id)
            for link in links:
                link.require_targets(self.owner_id, [getattr(self, link.attname)])
            yield


class OwnedModel(OwnedRow, models.Model):  # type: ignore[misc]
    """A row of an owner. ``owner_id`` is the ``sub`` of its owner's tokens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_id = models.CharField(max_length=255, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)  # in the trash since then
    erased_at = models.DateTimeField(null=True, editable=False)  # without content since then
    # Null in a row that a version before 0.4 wrote while this one served.
    change_number = models.BigIntegerField(null=True, editable=False)
    version = models.CharField(max_length=16, default=new_version, editable=False)

    objects: ClassVar[OwnedQuerySet[Any]] = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # also a related manager gives new versions
        indexes: ClassVar = [
            models.Index(
                fields=["owner_id", "-created_at", "-id"],
                condition=models.Q(deleted_at=None),
                name="%(class)s_newest_first",
            ),
            models.Index(
                fields=["owner_id", "-deleted_at", "-id"],
                condition=models.Q(deleted_at__isnull=False),
                name="%(class)s_trash",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="%(class)s_has_owner", condition=~models.Q(owner_id="")),
            models.UniqueConstraint(
                fields=["owner_id", "change_number"], name="%(class)s_change_number"
            ),
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


@receiver(class_prepared)
def _refuse_unreadable_values(*, sender: Any, **_: Any) -> None:
    """Add a constraint on all columns, so that no row makes a list of its owner a 500."""
    options = sender._meta
    if issubclass(sender, OwnedModel) and not options.proxy:
        fields = options.local_concrete_fields
        names = [each.name for each in fields if each.get_internal_type() in Readable.sqlite]
        name = f"{options.model_name}_is_readable"
        constraint = models.CheckConstraint(name=name, condition=Readable(*names))
        options.constraints = [*options.constraints, constraint]


@receiver(pre_save)
def _follow_a_fixture(*, instance: Any, raw: bool, **_: Any) -> None:
    """Let ``loaddata``, which calls no ``save()``, leave no column behind.

    A new row keeps the ``updated_at`` of the fixture. A stored one is changed now.
    """
    if raw and isinstance(instance, OwnedRow):
        is_stored = type(instance)._default_manager.filter(pk=instance.pk).exists()
        moment = None if is_stored else instance.updated_at
        instance.version = new_version()
        instance.change_number = counting.advance(instance.owner_id)
        instance.follow(None, moment or now())


@receiver(pre_save, sender=ChangeCounter)
def _keep_a_counter_from_going_back(*, instance: ChangeCounter, raw: bool, **_: Any) -> None:
    """Let a fixture repeat no number, and forget no purge."""
    if raw:
        counting.lock(instance.owner_id)
        stored = ChangeCounter.objects.get(pk=instance.pk)
        for name in ("value", "purged_to", "purges"):
            setattr(instance, name, max(getattr(instance, name), getattr(stored, name)))
