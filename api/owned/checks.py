from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error

from api.owned.fields import OwnedForeignKey
from api.owned.models import OwnedModel


def check_owned_models(
    *, app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse an owned model whose links leave old etags, or that loses a rule of ``OwnedModel``."""
    configs = apps.get_app_configs() if app_configs is None else app_configs
    return [
        error
        for config in configs
        for model in config.get_models()
        if issubclass(model, OwnedModel) and not model._meta.proxy
        for error in (*_links(model), *_lost_rules(model))
    ]


def _links(model: type[OwnedModel]) -> Iterator[Error]:
    for field in (*model._meta.fields, *model._meta.many_to_many):
        target: Any = field.related_model
        is_owned = isinstance(target, type) and issubclass(target, OwnedModel)
        if is_owned and not isinstance(field, OwnedForeignKey):
            yield Error(
                f"{field} links to rows of owners, and Django changes it without a new etag.",
                hint="Make it an OwnedForeignKey, which gives each change of a link a new etag.",
                obj=field,
                id="api.E016",
            )


def _lost_rules(model: type[OwnedModel]) -> Iterator[Error]:
    for option in ("constraints", "indexes"):
        own = [_unnamed(each) for each in getattr(model._meta, option)]
        kept = [each for each in getattr(OwnedModel.Meta, option) if _unnamed(each) in own]
        if len(kept) < len(getattr(OwnedModel.Meta, option)):
            yield Error(
                f"The Meta of {model._meta.label} loses {option} of OwnedModel.",
                hint=(
                    f"Write class Meta(OwnedModel.Meta), with *OwnedModel.Meta.{option} in its "
                    f"{option}."
                ),
                obj=model,
                id="api.E017",
            )


def _unnamed(rule: Any) -> Any:
    """Return an index or a constraint without its name, which contains that of the model."""
    path, arguments, options = rule.deconstruct()
    return path, arguments, {**options, "name": ""}
