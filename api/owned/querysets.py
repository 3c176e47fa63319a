from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models.deletion import Collector
from django.utils.timezone import now

from api.owned.fields import columns_of, followers_of, links_of, links_to
from authn.users import AnonymousUser, TokenUser

if TYPE_CHECKING:
    from api.owned.models import OwnedModel

Row = TypeVar("Row", bound="OwnedModel")


class OwnedQuerySet(models.QuerySet[Row]):
    """The rows of an owned model.

    No call except ``write`` leaves a version or a following column behind.
    """

    def owned_by(self, user: TokenUser | AnonymousUser) -> Self:
        """Return the rows of a user: views reach rows in no other way."""
        return self.filter(owner_id=user.pk) if user.is_authenticated else self.none()

    def as_shown(self) -> Self:
        """Defer the columns that no answer and no cursor needs."""
        return self.all()

    def somebody_has(self, row_id: UUID) -> bool:
        """Tell 403 from 404, without loading a row.

        Only ``has_id`` leaves out the owner as well. docs/scaling.md has their cost.
        """
        return self.filter(pk=row_id).exists()

    def has_id(self, row_id: UUID) -> bool:
        """Tell if the id of a new row is taken, by a row of any owner.

        Leaves out the owner too, and only if a client sent the id.
        """
        return self.filter(pk=row_id).exists()

    @classmethod
    def as_manager(cls) -> Any:
        manager: Any = _manager_class(cls)()
        manager._built_with_as_manager = True
        manager.use_in_migrations = True  # data migrations keep versions and columns right too
        return manager

    as_manager.queryset_only = True  # type: ignore[attr-defined]

    def write(self, **columns: Any) -> int:
        """Write these columns alone in one statement, without a new version."""
        return super().update(**columns)

    write.alters_data = write.queryset_only = True  # type: ignore[attr-defined]

    def erase(self) -> tuple[int, dict[str, int]]:
        """Delete rows in one statement, although others may link to them."""
        return super().delete()

    erase.alters_data = erase.queryset_only = True  # type: ignore[attr-defined]

    def is_erased_at_once(self) -> bool:
        """Tell whether one statement deletes a row: no link, signal or cascade needs another."""
        is_alone = Collector(using=self.db).can_fast_delete(self)
        return is_alone and not links_to(self.model)

    def update(self, **values: Any) -> int:
        """Write one statement with a new version, or change each row if columns follow.

        A link that is set changes each row too, because its target is locked. Raises
        ``TypeError`` for an expression that a column would have to follow.
        """
        values = columns_of(self.model, values)
        if "owner_id" in values:
            raise TypeError("A row keeps its owner: create a row of the other owner.")
        follow = any(
            not field.sources.isdisjoint(values) or field.attname in values
            for field in followers_of(self.model)
        )
        point = any(values.get(link.attname) is not None for link in links_of(self.model))
        if not follow and not point:
            version = self.model._meta.get_field("version").get_default()
            return self.write(**{"updated_at": now(), **values, "version": version})
        with transaction.atomic(using=self.db):
            rows = [*self.select_for_update()]
            for row in rows:
                row.change(**values)
        return len(rows)

    def bulk_create(  # type: ignore[override]
        self, objs: Iterable[Row], batch_size: int | None = None, **options: Any
    ) -> list[Row]:
        """Insert rows as Django does. Raises ``TypeError`` for ``update_conflicts``."""
        if options.get("update_conflicts"):
            raise TypeError("bulk_create() cannot update: use update_or_create() or change().")
        rows = [*objs]
        with transaction.atomic(using=self.db):
            for link in links_of(self.model):
                targets: dict[str, set[UUID]] = defaultdict(set)
                for row in rows:
                    targets[row.owner_id] |= {getattr(row, link.attname)} - {None}
                for owner_id in sorted(targets):
                    link.require_targets(owner_id, targets[owner_id])
            for row in rows:
                row.follow(None, row.created_at)
            return super().bulk_create(rows, batch_size, **options)

    def bulk_update(
        self, objs: Iterable[Row], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        """Save each row in one transaction, without batches. Raises ``StaleRow``."""
        names, rows = [*fields], [*objs]
        with transaction.atomic(using=self.db):
            for row in rows:
                row.save(update_fields=names)
        return len(rows)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete with one statement, or remove each row if others may link to it."""
        if not links_to(self.model):
            return self.erase()
        with transaction.atomic(using=self.db):
            rows = [*self.select_for_update()]
            for row in rows:
                row.remove()
        return len(rows), {self.model._meta.label: len(rows)}

    delete.queryset_only = True  # type: ignore[attr-defined]


@cache
def _manager_class(queryset_class: type[OwnedQuerySet[Any]]) -> type[models.Manager[Any]]:
    """Make one class, because Django takes two managers of different classes for a change."""
    return models.Manager.from_queryset(queryset_class)
