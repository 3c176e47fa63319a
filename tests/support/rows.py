"""Rows of any owned model, made by the factory of its app."""

from __future__ import annotations

from typing import Any

import factory
from django.core.exceptions import ValidationError
from django.db.models import Model
from factory.django import DjangoModelFactory

from api.owned.models import OwnedModel
from api.owned.registry import Resource, owned_models, resources
from tests.support.apps import declared


def make_row(model: type[Model], **fields: Any) -> Any:
    """Store a row of Alice's, unless told otherwise."""
    return factory_of(model)(**{"owner_id": "alice", **fields})


def factory_of(model: type[Model]) -> Any:
    """Find a factory in ``<app>/tests/factories.py``. Raises ``LookupError`` with what to do."""
    app = model._meta.app_config.name
    for each in declared(app, "factories").values():
        is_factory = isinstance(each, type) and issubclass(each, DjangoModelFactory)
        if is_factory and each._meta.model is model:
            return each
    raise LookupError(
        f"{model.__name__} has no factory: write a DjangoModelFactory in {app}/tests/factories.py."
    )


def mistake() -> str:
    """Say what a resource lacks for its tests, or return an empty text."""
    mistakes = [*map(_of_factory, owned_models()), *map(_of_example, resources())]
    return next(filter(None, mistakes), "")


def _of_example(resource: Resource) -> str:
    serializer = resource.view.serializer_class
    if serializer.example:
        return ""
    return f"{serializer.__name__} has no example: set it to the body of a create request."


def _of_factory(model: type[OwnedModel]) -> str:
    try:
        factory_class = factory_of(model)
    except LookupError as error:
        return str(error.args[0])
    fields = factory.build(dict, FACTORY_CLASS=factory_class)
    # A link would be looked up, and there is no database yet.
    unchecked = {each.name for each in model._meta.fields if not each.editable or each.is_relation}
    try:
        model(**{"owner_id": "alice", **fields}).clean_fields(exclude=unchecked - {"owner_id"})
    except (TypeError, ValidationError) as error:
        file = f"{factory_class.__module__.replace('.', '/')}.py"
        return f"{factory_class.__name__} ({file}) does not fit {model.__name__}: {error}"
    return ""
