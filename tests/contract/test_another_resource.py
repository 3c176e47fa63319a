"""The OpenAPI document describes any resource of owners, by the methods that it takes."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.routers import SimpleRouter

import config.urls
from todos.serializers import TodoSerializer
from todos.views import TodoViewSet

pytestmark = pytest.mark.urls(__name__)

CHANGES = {
    "post": "completeNote",
    "put": "replaceNote",
    "patch": "changeNote",
    "delete": "deleteNote",
}


class NoteSerializer(TodoSerializer):
    """Another resource of the same rows."""


class NoteViewSet(TodoViewSet):
    serializer_class = NoteSerializer
    batch = None  # type: ignore[assignment]


router = SimpleRouter(use_regex_path=False)
router.register("api/notes", NoteViewSet, basename="note")
urlpatterns = [*config.urls.urlpatterns, *router.urls]


def document() -> Any:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    validate_schema(made)  # type: ignore[no-untyped-call]
    return made


def test_a_resource_needs_no_entry_of_its_own() -> None:
    made = document()
    assert {"name": "notes", "description": "The notes of this user."} in made["tags"]
    assert made["components"]["schemas"]["Root"]["required"][-3:] == ["notes", "me", "schema"]


@pytest.mark.parametrize("methods", ["", "post", "put", "patch", "delete", "patch delete"])
def test_answers_link_only_to_methods_that_the_resource_takes(
    monkeypatch: pytest.MonkeyPatch, methods: str
) -> None:
    monkeypatch.setattr(NoteViewSet, "http_method_names", ["get", *methods.split()])
    made = document()
    links = made["paths"]["/api/notes/{id}/"]["get"]["responses"]["200"]["links"].keys()
    assert {"getNote", "getNoteIfChanged"} <= links
    assert {method for method, link in CHANGES.items() if link in links} == {*methods.split()}
    assert {"replaceTodo", *links} <= made["components"]["links"].keys()
