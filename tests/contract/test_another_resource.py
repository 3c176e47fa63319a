"""The OpenAPI document describes any resource of owners, by the methods that it takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

import config.urls
from api.owned.viewset import row_action
from authn import JWTAuthentication
from todos.serializers import TodoSerializer
from todos.tests.factories import make_todo
from todos.views import TodoViewSet

JSON = "application/json"
pytestmark = pytest.mark.urls(__name__)

CHANGES = {
    "post": "completeSpecimen",
    "put": "replaceSpecimen",
    "patch": "changeSpecimen",
    "delete": "deleteSpecimen",
}


class SpecimenSerializer(TodoSerializer):
    """Another resource of the same rows."""


class SpecimenViewSet(TodoViewSet):
    serializer_class = SpecimenSerializer
    batch = None  # type: ignore[assignment]


class ReadingItemSerializer(SpecimenSerializer):
    """A resource with a name of two words."""


class ReadingItemViewSet(SpecimenViewSet):
    serializer_class = ReadingItemSerializer

    @row_action
    def mark_read(self) -> Response:
        return self.change(completed=True)


router = SimpleRouter(use_regex_path=False)
router.register("api/reading-items", ReadingItemViewSet, basename="reading-item")
router.register("api/specimens", SpecimenViewSet, basename="specimen")
urlpatterns = [*config.urls.urlpatterns, *router.urls]


@pytest.mark.django_db
def test_a_narrower_get_queryset_holds_for_every_action(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_queryset(view: SpecimenViewSet) -> Any:
        return super(SpecimenViewSet, view).get_queryset().filter(completed=False)

    monkeypatch.setattr(SpecimenViewSet, "get_queryset", get_queryset)
    hidden, seen = make_todo(completed=True), make_todo()
    found = alice.get("/api/specimens/").json()["results"]
    assert [each["id"] for each in found] == [str(seen.pk)]
    for method in ("GET", "DELETE"):
        statuses = [
            alice.generic(method, f"/api/specimens/{todo.pk}/").status_code
            for todo in (hidden, seen)
        ]
        assert statuses == [404, 200 if method == "GET" else 204]
    assert alice.get("/api/specimens/changes/").status_code == 404
    change = {"newDocumentState": {"id": str(hidden.pk)}}
    assert alice.post("/api/specimens/sync/", [change], JSON).status_code == 404


def document() -> Any:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    validate_schema(made)  # type: ignore[no-untyped-call]
    return made


def test_a_resource_needs_no_entry_of_its_own() -> None:
    made = document()
    assert {"name": "specimens", "description": "The specimens of this user."} in made["tags"]
    assert made["components"]["schemas"]["Root"]["required"][-3:] == ["specimens", "me", "schema"]


def test_any_authentication_by_tokens_is_the_security_scheme(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SpecimenViewSet, "authentication_classes", [JWTAuthentication])
    assert document()["paths"]["/api/specimens/"]["get"]["security"] == [{"bearer": []}]


@pytest.mark.parametrize("methods", ["", "post", "put", "patch", "delete", "patch delete"])
def test_answers_link_only_to_methods_that_the_resource_takes(
    monkeypatch: pytest.MonkeyPatch, methods: str
) -> None:
    monkeypatch.setattr(SpecimenViewSet, "http_method_names", ["get", *methods.split()])
    made = document()
    links = made["paths"]["/api/specimens/{id}/"]["get"]["responses"]["200"]["links"].keys()
    assert {"getSpecimen", "getSpecimenIfChanged"} <= links
    assert {method for method, link in CHANGES.items() if link in links} == {*methods.split()}
    assert {"replaceTodo", *links} <= made["components"]["links"].keys()


@pytest.mark.parametrize(
    ("path", "method", "operation_id", "summary"),
    [
        ("", "get", "listReadingItems", "List your reading items"),
        ("", "post", "createReadingItem", "Create a reading item"),
        (
            "changes/",
            "get",
            "pullReadingItems",
            "List the reading items that have changed since a position",
        ),
        (
            "sync/",
            "post",
            "pushReadingItems",
            "Push what was changed without a network, each reading item for itself",
        ),
        (
            "{id}/mark_read/",
            "post",
            "markReadReadingItem",
            "Mark read a reading item; repeating it changes nothing",
        ),
    ],
    ids=["list", "create", "changes", "sync", "action"],
)
def test_names_of_several_words(path: str, method: str, operation_id: str, summary: str) -> None:
    operation = document()["paths"][f"/api/reading-items/{path}"][method]
    assert (operation["operationId"], operation["summary"]) == (operation_id, summary)
