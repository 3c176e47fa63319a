"""The OpenAPI document is of this API, all of it, and a client can be made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from rest_framework.exceptions import APIException

from api.checks import iterate_routes, reason_to_be_open
from api.health import NotReady
from api.problem_schemas import problem_codes
from browsable.authentication import CsrfRefused
from config.tests.documented import JSON, OPENAPI, resolved, validator

OPERATIONS = {
    operation["operationId"]: operation
    for path in OPENAPI["paths"].values()
    for operation in path.values()
}
# They are for operators and for browsers, and not in the document.
OF_PROBES = {(NotReady.status_code, NotReady.default_code)}
OF_PAGES = {(CsrfRefused.status_code, CsrfRefused.default_code)}
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``make openapi`` writes: it fails at a warning and at what OpenAPI does not allow."""
    file = tmp_path_factory.mktemp("openapi") / "openapi.json"
    GENERATOR_STATS.reset()  # of what was generated before
    options = {"format": "openapi-json", "validate": True, "fail_on_warn": True}
    call_command("spectacular", file=str(file), **options)
    return file.read_text()


class TestTheFile:
    def test_it_is_what_the_code_makes(self, written: str) -> None:
        is_up_to_date = written == read("openapi.json")  # else pytest would show both
        assert is_up_to_date, "openapi.json is out of date: run `make openapi`."

    def test_it_is_served_to_everybody(self, anonymous: Client) -> None:
        response = anonymous.get("/api/schema/")
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
        assert response.json() == OPENAPI

    @pytest.mark.parametrize("name", OPENAPI["components"]["schemas"])
    def test_its_schemas_are_json_schema(self, name: str) -> None:
        jsonschema_rs.meta.validate(OPENAPI["components"]["schemas"][name])


class TestOperations:
    def test_every_route_that_asks_for_a_token_is_there_with_its_methods(self) -> None:
        routes = {
            re.sub(r"<\w+:pk>", "{id}", route): methods_of(callback)
            for route, callback in iterate_routes(get_resolver())
            if not reason_to_be_open(callback)
        }
        assert {path: {*methods} for path, methods in OPENAPI["paths"].items()} == routes

    @every_operation
    def test_it_has_a_summary(self, operation: JSON) -> None:
        assert operation["summary"]

    def test_each_has_a_name_of_its_own(self) -> None:
        assert len(OPERATIONS) == sum(map(len, OPENAPI["paths"].values()))

    @every_operation
    def test_it_takes_a_bearer_token(self, operation: JSON) -> None:
        assert operation["security"] == [{"bearer": []}]
        scheme = OPENAPI["components"]["securitySchemes"]["bearer"]
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")

    @every_operation
    def test_its_parameters_say_what_they_are(self, operation: JSON) -> None:
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            told = {*parameter, *schema} & {"description", "format"}
            assert told or schema["type"] == "boolean", parameter["name"]

    @every_operation
    def test_its_failures_are_problem_documents(self, operation: JSON) -> None:
        failures = {status for status in operation["responses"] if int(status) >= 400}
        assert failures > {"400", "401", "429", "500", "503"}
        for status in failures:
            content = resolved(operation["responses"][status])["content"]
            assert content.keys() == {"application/problem+json"}
            schema = content["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


class TestCodes:
    def test_every_code_is_there_with_its_status(self) -> None:
        assert documented_codes() == {
            (status, code) for status, codes in problem_codes().items() for code in codes
        }

    def test_every_code_of_an_error_of_this_project_is_there(self) -> None:
        codes = {
            (error.status_code, error.default_code)
            for error in errors_of_this_project(APIException)
        }
        assert len(codes) > 10
        assert codes - OF_PROBES - OF_PAGES <= documented_codes()

    def test_every_code_of_the_readmes_table_is_there(self) -> None:
        row = r"^\| .* \| (\d{3})(?:, .*)? \| (.*) \|$"
        rows = re.findall(row, read("README.md"), re.MULTILINE)
        codes = {
            (int(status), code)
            for status, cell in rows
            for code in re.findall(r"`([a-z_]+)`", cell.replace("`errors`", ""))
        }
        assert len(codes) > 20
        assert codes - OF_PROBES - OF_PAGES <= documented_codes()


class TestExamples:
    def test_each_is_valid_where_it_stands(self) -> None:
        found = [*examples(OPENAPI)]
        assert len(found) > 30
        for schema, example in found:
            validator(schema).validate(example)

    @pytest.mark.parametrize("name", ["createTodo", "replaceTodo", "changeTodos"])
    def test_what_needs_a_body_shows_one(self, name: str) -> None:
        schema = OPERATIONS[name]["requestBody"]["content"]["application/json"]["schema"]
        assert resolved(schema)["examples"]


def test_names_are_those_that_a_client_would_choose() -> None:
    assert {*OPENAPI["components"]["schemas"]} == {
        *("Todo", "TodoRequest", "PatchedTodoRequest", "TodoPage", "Priority"),
        *("BatchRequest", "BatchCreate", "BatchUpdate", "BatchAction", "BatchResult"),
        *("Root", "Me", "Problem"),
    }


def read(name: str) -> str:
    return str((settings.BASE_DIR / name).read_text())


def methods_of(callback: Any) -> set[str]:
    """Those that a view answers, beside what every view does."""
    actions = getattr(callback, "actions", None)
    methods = actions or filter(partial(hasattr, callback.cls), callback.cls.http_method_names)
    return {*methods} - {"head", "options"}


def documented_codes() -> set[tuple[int, str]]:
    return {
        (example["value"]["status"], code)
        for response in OPENAPI["components"]["responses"].values()
        for code, example in response["content"]["application/problem+json"]["examples"].items()
    }


def errors_of_this_project(base: type[APIException]) -> Iterator[type[APIException]]:
    for error in base.__subclasses__():
        if error.__module__.startswith(("api.", "todos.")) and "default_code" in vars(error):
            yield error
        yield from errors_of_this_project(error)


def examples(part: Any) -> Iterator[tuple[JSON, Any]]:
    """Every example below a part of the document, with its schema."""
    if isinstance(part, list):
        for each in part:
            yield from examples(each)
    elif isinstance(part, dict):
        yield from examples_of(part)
        for each in part.values():
            yield from examples(each)


def examples_of(part: JSON) -> Iterator[tuple[JSON, Any]]:
    if isinstance(part.get("examples"), list):  # a schema
        yield from ((part, example) for example in part["examples"])
    if "schema" in part:  # a parameter, header field or body
        if "example" in part:
            yield part["schema"], part["example"]
        named = part.get("examples", {}).values()
        yield from ((part["schema"], example["value"]) for example in named)
