"""Pages show every resource of owners, with forms for the methods that it takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import clear_url_caches
from rest_framework.routers import SimpleRouter

import config.urls
from api.owned.registry import resources
from api.views import openapi_document
from browsable.tests.browser import Browser
from todos.models import Todo
from todos.serializers import TodoSerializer
from todos.tests.factories import make_todo
from todos.views import TodoViewSet

pytestmark = pytest.mark.django_db

SPECIMENS = "/api/specimens/"


class SpecimenSerializer(TodoSerializer):
    """Another resource of the same rows."""


class SpecimenViewSet(TodoViewSet):
    serializer_class = SpecimenSerializer


@pytest.fixture
def specimens(_browsable: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SpecimenViewSet]]:
    """The viewset of a resource whose routes come last."""
    router = SimpleRouter(use_regex_path=False)
    router.register("api/specimens", SpecimenViewSet, basename="specimen")
    monkeypatch.setattr(config.urls, "urlpatterns", [*config.urls.urlpatterns, *router.urls])
    clear_url_caches()
    openapi_document.cache_clear()
    yield SpecimenViewSet
    monkeypatch.undo()
    clear_url_caches()
    openapi_document.cache_clear()


@pytest.mark.usefixtures("specimens")
@pytest.mark.parametrize("path", ["/api/me/", "/api/login/", "/api/nothing/"])
def test_the_menu_names_every_resource_in_the_order_of_the_routes(
    alices: Browser, path: str
) -> None:
    links = alices.get(path).links
    names = [*links]
    menu = names[names.index("Todos API") + 1 : names.index("Docs")]
    assert menu == [*(each.plural.capitalize() for each in resources()), "Me"]
    assert (links["Todos"], links["Specimens"]) == ("/api/todos/", SPECIMENS)


@pytest.mark.usefixtures("specimens")
def test_the_root_links_to_every_resource(alices: Browser) -> None:
    links = alices.get("/api/").links
    for resource in resources():
        address = f"http://testserver{resource.path}"
        assert links[f'"{address}"'] == address


@pytest.mark.usefixtures("specimens")
def test_pages_have_the_name_of_their_resource(alices: Browser) -> None:
    page = alices.get(SPECIMENS)
    assert "<h1>Specimens</h1>" in page.html
    page = page.form("title").submit(title="Buy milk")
    assert "<h1>Specimen</h1>" in page.html
    page = alices.get(page.form("title", button="PATCH").action)
    assert "<h1>Specimen</h1>" in page.html
    assert "<h1>Complete</h1>" in page.form_to("/complete/").submit().html
    assert "<h1>Batch</h1>" in alices.get(f"{SPECIMENS}batch/").form("_raw").submit().html


def test_the_changes_of_a_resource_are_a_page_with_links_to_its_rows(alices: Browser) -> None:
    todo = make_todo()
    page = alices.get("/api/todos/changes/?limit=10")
    assert "<h1>Changes</h1>" in page.html
    assert page.links[f'"{todo.pk}"'] == f"/api/todos/{todo.pk}/"


@pytest.mark.usefixtures("specimens")
def test_every_form_of_a_resource_sends_to_its_own_addresses(alices: Browser) -> None:
    page = alices.get(SPECIMENS)
    assert page.links["Batch…"] == f"{SPECIMENS}batch/"
    assert page.links["Changes…"] == f"{SPECIMENS}changes/"
    page = page.form("_filters").submit(completed="true", ordering="title")
    assert page.url == f"{SPECIMENS}?completed=true&ordering=title"
    page = page.form("title").submit(title="Buy milk")
    specimen = Todo.objects.get()
    page = alices.get(alices.get(SPECIMENS).links[f'"{specimen.pk}"'])
    assert {form.action.partition(str(specimen.pk))[0] for form in page.forms[1:]} == {SPECIMENS}
    page = page.form("title", button="PUT").submit("PUT", title="Buy bread")
    page = page.form_to("/complete/").submit()
    assert Todo.objects.filter(title="Buy bread", completed=True).exists()
    page = page.form("_if_match", button="DELETE").submit("DELETE")
    assert page.links["Back to the list"] == SPECIMENS
    assert not Todo.objects.filter(deleted_at=None).exists()


@pytest.mark.parametrize("methods", ["", "post", "put", "patch", "delete", "post patch"])
def test_pages_have_no_button_for_a_method_that_the_resource_lacks(
    alices: Browser, specimens: type[SpecimenViewSet], monkeypatch: pytest.MonkeyPatch, methods: str
) -> None:
    monkeypatch.setattr(specimens, "http_method_names", ["get", *methods.split()])
    listing = alices.get(SPECIMENS)
    item = alices.get(f"{SPECIMENS}{make_todo(owner_id='alice').pk}/")
    forms = [*listing.forms, *item.forms]
    buttons = {value for form in forms for _, value in form.buttons if value}
    assert buttons == {*methods.upper().split()}
    assert ("Batch…" in listing.links) == ("post" in methods)
    assert ("/complete/" in item.html) == ("post" in methods)


def test_the_hint_of_the_change_form_names_its_methods(
    alices: Browser, specimens: type[SpecimenViewSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{SPECIMENS}{make_todo(owner_id='alice').pk}/"
    hint = "PATCH sends the fields that you changed. PUT sends all fields."
    assert hint in alices.get(address).text
    monkeypatch.setattr(specimens, "http_method_names", ["get", "put"])
    page = alices.get(address)
    assert "PATCH" not in page.text
    assert "PUT sends all fields." in page.text
