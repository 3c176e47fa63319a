"""Rows with ids of the client, which can create them without a network and repeat the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from api.errors.exceptions import IdTaken
from api.owned.models import OwnedModel
from authn.users import TokenUser


def create_once(
    model: type[OwnedModel], user: TokenUser, fields: Mapping[str, Any], *, sent: Mapping[str, Any]
) -> tuple[Any, bool]:
    """Create a row with the id in ``fields``, or load the user's row with this id.

    Returns the row, and True if it is new. ``sent`` has the values of the body alone, without
    defaults. Raises ``IdTaken`` if the row of the user has others, is in the trash, or belongs to
    another user.
    """
    rows, row_id = model.objects, fields["id"]
    # A table that is partitioned by owner would take the id of another user once more.
    if not rows.has_id(row_id):
        try:
            with transaction.atomic():
                return rows.create(owner_id=user.id, **fields), True
        except IntegrityError:
            if not rows.has_id(row_id):
                raise
    row = rows.as_shown().owned_by(user).filter(pk=row_id).first()
    if row is None or any(getattr(row, name) != value for name, value in sent.items()):
        raise IdTaken().at("/id")
    return row, False
