from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.core.checks.registry import registry
from django.db import models
from django.test.utils import isolate_apps

from api.owned.checks import check_owned_models
from api.owned.fields import OwnedForeignKey
from api.owned.models import OwnedModel


def errors(apps: Any) -> list[tuple[str, str]]:
    """Return the id of each error of the models in a registry, with its message."""
    found = check_owned_models(app_configs=[*apps.get_app_configs()])
    assert all(error.hint for error in found)
    return [(str(error.id), error.msg) for error in found]


def unfit(field: str) -> str:
    return f"{field} links to rows of owners, and Django changes it without a new etag."


def test_the_models_of_this_project_have_no_error() -> None:
    check: Any = check_owned_models
    assert check in registry.registered_checks
    assert check_owned_models(app_configs=None) == []


def test_links_that_give_a_new_etag_have_no_error() -> None:
    with isolate_apps("api") as apps:

        class Shelf(OwnedModel):
            class Meta(OwnedModel.Meta):
                app_label = "api"

        class Color(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "api"

        class Book(OwnedModel):
            shelf = OwnedForeignKey(Shelf)
            sequel = OwnedForeignKey("self")
            color = models.ForeignKey(Color, models.CASCADE)

            class Meta(OwnedModel.Meta):
                app_label = "api"

        assert errors(apps) == []


@pytest.mark.parametrize(
    "link",
    [
        models.ForeignKey("api.Shelf", models.CASCADE),
        models.ForeignKey("api.Shelf", models.SET_NULL, null=True),
        models.ForeignKey("api.Shelf", models.DO_NOTHING, db_constraint=False, null=True),
        models.ForeignKey("self", models.CASCADE),
        models.OneToOneField("api.Shelf", models.CASCADE),
        models.ManyToManyField("api.Shelf"),
    ],
    ids=["cascade", "set null", "do nothing", "self", "one to one", "many to many"],
)
def test_any_other_link_between_owned_models_is_an_error(link: Any) -> None:
    with isolate_apps("api") as apps:

        class Shelf(OwnedModel):
            class Meta(OwnedModel.Meta):
                app_label = "api"

        class Book(OwnedModel):
            shelf = link.clone()

            class Meta(OwnedModel.Meta):
                app_label = "api"

        assert errors(apps) == [("api.E016", unfit("api.Book.shelf"))]


def test_a_proxy_has_the_rules_of_its_model() -> None:
    with isolate_apps("api") as apps:

        class Book(OwnedModel):
            class Meta(OwnedModel.Meta):
                app_label = "api"

        class Novel(Book):
            class Meta:
                app_label = "api"
                proxy = True

        assert errors(apps) == []


def test_a_model_of_several_tables_is_an_error() -> None:
    with isolate_apps("api") as apps:

        class Book(OwnedModel):
            class Meta(OwnedModel.Meta):
                app_label = "api"

        class Novel(Book):
            class Meta:
                app_label = "api"

        assert ("api.E016", unfit("api.Novel.book_ptr")) in errors(apps)


def test_a_meta_that_loses_the_rules_of_owners_is_an_error() -> None:
    with isolate_apps("api") as apps:

        class Book(OwnedModel):
            title = models.CharField(max_length=10)

            class Meta:
                app_label = "api"
                constraints: ClassVar = [
                    models.CheckConstraint(name="book_title", condition=~models.Q(title=""))
                ]
                indexes: ClassVar = [models.Index(fields=["owner_id", "title"], name="book_title")]

        assert errors(apps) == [
            ("api.E017", "The Meta of api.Book loses constraints of OwnedModel."),
            ("api.E017", "The Meta of api.Book loses indexes of OwnedModel."),
        ]
