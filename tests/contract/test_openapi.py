"""The OpenAPI document describes the whole API, and clients can be generated from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
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
from api.errors.exceptions import NotReady
from api.errors.schema import problems
from api.owned.openapi import name_of
from api.owned.registry import resources
from browsable.authentication import CsrfRefused
from tests.support.apps import project_apps
from tests.support.documented import JSON, OPENAPI, resolved, validator
from todos.due import DUE_FIELDS

OPERATIONS = {
    operation["operationId"]: operation
    for path in OPENAPI["paths"].values()
    for operation in path.values()
}
# No operation answers these: a probe, a page and a method that a path does not have do.
OF_NO_OPERATION = {
    (NotReady.status_code, NotReady.default_code),
    (CsrfRefused.status_code, CsrfRefused.default_code),
    (HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed"),
}
PATCHES = [path["patch"] for path in OPENAPI["paths"].values() if "patch" in path]
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of ``make openapi``, which fails at a warning and at an invalid document."""
    file = tmp_path_factory.mktemp("openapi") / "openapi.json"
    GENERATOR_STATS.reset()  # warnings of earlier tests
    options = {"format": "openapi-json", "validate": True, "fail_on_warn": True}
    call_command("spectacular", file=str(file), **options)
    return file.read_text()


class TestDocument:
    def test_openapi_json_is_up_to_date(self, written: str) -> None:
        is_up_to_date = written == read("openapi.json")  # else pytest would show both
        assert is_up_to_date, "openapi.json is out of date: run `make openapi`."

    def test_openapi_json_is_served_without_a_token(self, anonymous: Client) -> None:
        response = anonymous.get("/api/schema/")
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
        assert response.json() == OPENAPI

    @pytest.mark.parametrize("name", OPENAPI["components"]["schemas"])
    def test_schemas_are_json_schemas(self, name: str) -> None:
        jsonschema_rs.meta.validate(OPENAPI["components"]["schemas"][name])


class TestOperations:
    def test_every_route_with_a_token_is_documented_with_its_methods(self) -> None:
        routes = {
            re.sub(r"<\w+:pk>", "{id}", route): methods_of(callback)
            for route, callback in iterate_routes(get_resolver())
            if not reason_to_be_open(callback)
        }
        assert {path: {*methods} for path, methods in OPENAPI["paths"].items()} == routes

    @every_operation
    def test_an_operation_has_a_summary(self, operation: JSON) -> None:
        assert operation["summary"]

    @every_operation
    def test_an_operation_takes_a_bearer_token(self, operation: JSON) -> None:
        assert operation["security"] == [{"bearer": []}]
        scheme = OPENAPI["components"]["securitySchemes"]["bearer"]
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")

    @every_operation
    def test_parameters_have_a_description_or_a_format(self, operation: JSON) -> None:
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            told = {*parameter, *schema} & {"description", "format"}
            assert told or schema["type"] == "boolean", parameter["name"]

    @every_operation
    def test_failures_are_problem_documents(self, operation: JSON) -> None:
        failures = {status for status in operation["responses"] if int(status) >= 400}
        assert failures > {"400", "401", "429", "500", "503"}
        for status in failures:
            content = resolved(operation["responses"][status])["content"]
            assert content.keys() == {"application/problem+json"}
            schema = content["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


class TestGenerators:
    def test_no_value_has_a_default(self) -> None:
        """Generators make a member with a ``default`` required, or send the default themselves."""
        assert [each for each in schemas(OPENAPI) if "default" in each] == []

    def test_descriptions_name_every_default(self) -> None:
        said = {
            "TodoRequest": ("description", "completed", "priority", *DUE_FIELDS, "tags", "list_id"),
            "PatchedTodoRequest": ("description", "completed", "priority", "tags"),
        }
        for name, fields in said.items():
            properties = OPENAPI["components"]["schemas"][name]["properties"]
            text = "`null` stands for `" if "Patched" in name else "Default: `"
            told = {field for field in properties if text in said_of(properties[field])}
            assert told == {*fields}
        assert "Default: `50`." in parameter("listTodos", "limit")["description"]
        assert "Default: `-created_at`." in parameter("listTodos", "ordering")["description"]

    def test_every_value_has_a_type(self) -> None:
        assert [each for each in schemas(OPENAPI) if {"const", "enum"} & each.keys()] != []
        for schema in schemas(OPENAPI):
            assert "const" not in schema
            assert "enum" not in schema or schema["type"] == "string"

    def test_patterns_survive_where_their_unicode_escapes_are_decoded(self) -> None:
        """Some generators print the character of an escape, which must not end their literal."""
        patterns = {each["pattern"] for each in schemas(OPENAPI) if "pattern" in each}
        assert len(patterns) > 5
        for pattern in patterns:
            decoded = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), pattern)
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/]", decoded)

    @pytest.mark.parametrize(
        ("name", "ops"),
        [
            ("BatchCreate", ["create"]),
            ("BatchUpdate", ["update"]),
            ("BatchAction", ["delete", "complete", "reopen"]),
        ],
    )
    def test_operations_of_a_batch_differ_in_op(self, name: str, ops: list[str]) -> None:
        schema = OPENAPI["components"]["schemas"][name]
        assert schema["properties"]["op"] == {"type": "string", "enum": ops}
        assert "op" in schema["required"]


class TestCodes:
    def test_every_code_is_documented_with_its_status(self) -> None:
        codes = {(status, code) for status, errors in problems().items() for code in errors}
        assert documented_codes() == codes - OF_NO_OPERATION

    def test_every_error_class_is_documented(self) -> None:
        codes = {
            (error.status_code, error.default_code)
            for error in errors_of_this_project(APIException)
        }
        assert len(codes) > 10
        assert codes - OF_NO_OPERATION <= documented_codes()

    def test_every_code_in_the_table_of_failures_is_documented(self) -> None:
        row = r"^\| .* \| (\d{3})(?:, .*)? \| (.*) \|$"
        rows = re.findall(row, read("docs/api.md"), re.MULTILINE)
        codes = {
            (int(status), code)
            for status, cell in rows
            for code in re.findall(r"`([a-z_]+)`", cell.replace("`errors`", ""))
        }
        assert len(codes) > 20
        assert codes - OF_NO_OPERATION <= documented_codes()


class TestExamples:
    def test_examples_match_their_schemas(self) -> None:
        found = [*examples(OPENAPI)]
        assert len(found) > 30
        for schema, example in found:
            validator(schema).validate(example)

    def test_request_bodies_have_an_example_except_patches(self) -> None:
        bodies = {
            name: resolved(operation["requestBody"]["content"]["application/json"]["schema"])
            for name, operation in OPERATIONS.items()
            if "requestBody" in operation and operation not in PATCHES
        }
        assert {"createTodo", "replaceTodo", "changeTodos"} <= bodies.keys()
        assert [name for name, schema in bodies.items() if not schema.get("examples")] == []


def test_schemas_have_short_names() -> None:
    names = {*OPENAPI["components"]["schemas"]}
    for resource in resources():
        name = name_of(resource.view)
        assert names >= {name, f"{name}Request", f"Patched{name}Request", f"{name}Page"}
    assert names >= {"Priority", "Root", "Me", "Problem", "ProblemCode", "ErrorCode"}
    # drf-spectacular makes such names.
    assert [name for name in names if re.search("Enum|Paginated|Serializer", name)] == []


def schemas(part: Any) -> Iterator[JSON]:
    """Yield every schema of a value below a part of the document."""
    if isinstance(part, list):
        for each in part:
            yield from schemas(each)
    elif isinstance(part, dict):
        if part.keys() & {"const", "enum", "type", "allOf", "anyOf", "oneOf", "$ref"}:
            yield part
        for name, each in part.items():
            if name not in {"example", "examples"}:
                yield from schemas(each)


def said_of(schema: JSON) -> str:
    return str(schema.get("description", ""))


def parameter(operation_id: str, name: str) -> JSON:
    found: JSON = next(
        each for each in OPERATIONS[operation_id]["parameters"] if each["name"] == name
    )
    return found


def read(name: str) -> str:
    return str((settings.BASE_DIR / name).read_text())


def methods_of(callback: Any) -> set[str]:
    """The methods of a view, without HEAD and OPTIONS."""
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
        app, _, _ = error.__module__.partition(".")
        if app in project_apps() and "default_code" in vars(error):
            yield error
        yield from errors_of_this_project(error)


def examples(part: Any) -> Iterator[tuple[JSON, Any]]:
    """Yield every example below a part of the document, with its schema."""
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
