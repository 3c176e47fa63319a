"""A check that ``openapi.json`` describes every answer that the suite gets.

The check is stricter than the document: a member that the document does not name is a mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from jsonschema_rs import Draft202012Validator

from api.requests import IS_PAGE

JSON = dict[str, Any]

OPENAPI: JSON = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())


def check(method: str, path: str, response: Any) -> None:
    """Raise ``AssertionError`` for an answer that the document does not have, except for a page."""
    if IS_PAGE in response.wsgi_request.META:
        return
    if mistakes := [*mistakes_in(method, path, response)]:
        answer = f"{method} {path}: {response.status_code} {response.content[:1000]!r}"
        raise AssertionError("\n".join(["Not as in openapi.json:", answer, *mistakes]))


def mistakes_in(method: str, path: str, response: Any) -> Iterator[str]:
    template = template_of(path)
    operation = operations(template).get("GET" if method == "HEAD" else method)
    bodiless = method == "HEAD"
    if operation is None:
        # OPTIONS, an open path, or an unknown path or method.
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            yield from any_problem().mistakes(response, bodiless=bodiless)
        if template and response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            yield from mistakes_in_allow(template, response.headers.get("Allow", ""))
    elif response.status_code not in operation:
        yield f"It has only {', '.join(map(str, operation))} for this operation."
    else:
        yield from operation[response.status_code].mistakes(response, bodiless=bodiless)


def mistakes_in_allow(template: str, allow: str) -> Iterator[str]:
    methods = operations(template).keys()
    if {*allow.split(", ")} != methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()):
        yield f"Allow is {allow!r}, and it has {', '.join(methods)}."


def template_of(path: str) -> str:
    """Return ``/api/todos/{id}/`` for such a path, and ``""`` for an unknown path."""
    return next((each for each, pattern in templates() if pattern.fullmatch(path)), "")


@cache
def templates() -> list[tuple[str, re.Pattern[str]]]:
    """Order paths without a variable first, as OpenAPI requires."""
    paths = sorted(OPENAPI["paths"], key=lambda path: path.count("{"))
    # The slash at the end is optional.
    return [(path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "?")) for path in paths]


@dataclass(frozen=True, slots=True)
class Documented:
    """An answer in the document."""

    content: Mapping[str, Draft202012Validator]
    codes: frozenset[str]
    required_headers: frozenset[str]
    headers: Mapping[str, Draft202012Validator]

    @classmethod
    def read(cls, answer: JSON) -> Self:
        answer = resolved(answer)
        headers = {name: resolved(each) for name, each in answer.get("headers", {}).items()}
        content = answer.get("content", {})
        problem = content.get("application/problem+json", {})
        return cls(
            content={name: validator(each["schema"]) for name, each in content.items()},
            codes=frozenset(problem.get("examples", ())),
            required_headers=frozenset(name for name in headers if headers[name].get("required")),
            headers={name: validator(each["schema"]) for name, each in headers.items()},
        )

    def mistakes(self, response: Any, *, bodiless: bool) -> Iterator[str]:
        for name, schema in self.headers.items():
            if name in response.headers:
                yield from mistakes_of(schema, header_value(response.headers[name]), name)
            elif name in self.required_headers:
                yield f"{name} is missing."
        media_type = response.headers.get("Content-Type", "")
        if media_type not in (self.content or [""]):
            yield f"It is {media_type!r} instead of {', '.join(self.content) or 'nothing'}."
        elif bool(response.content) == (bodiless or not self.content):
            yield f"It has {'a' if response.content else 'no'} body."
        elif response.content:
            body = json.loads(response.content)
            yield from mistakes_of(self.content[media_type], body, "body")
            if self.codes and body["code"] not in self.codes:
                yield f"The code is none of {', '.join(self.codes)}."


def mistakes_of(schema: Draft202012Validator, value: Any, where: str) -> Iterator[str]:
    if schema.is_valid(value):
        return
    for error in schema.iter_errors(value):
        yield f"{'/'.join([where, *map(str, error.instance_path)])}: {error.message}"


def header_value(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


@cache
def operations(template: str) -> dict[str, dict[int, Documented]]:
    """Return the answers of a path: method -> status -> answer."""
    return {
        method.upper(): {
            int(status): Documented.read(answer)
            for status, answer in operation["responses"].items()
        }
        for method, operation in OPENAPI["paths"].get(template, {}).items()
    }


@cache
def any_problem() -> Documented:
    """A problem of any status and code."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    request_id = {"$ref": "#/components/headers/X-Request-Id"}
    return Documented.read(
        {
            "content": {"application/problem+json": problem},
            "headers": {"X-Request-Id": request_id},
        }
    )


def resolved(part: JSON) -> JSON:
    """Follow a reference of the document. Return any other ``part`` as it is."""
    found = OPENAPI if "$ref" in part else part
    for name in part.get("$ref", "#").split("/")[1:]:
        found = found[name]
    return found


def validator(schema: JSON) -> Draft202012Validator:
    return _validator(json.dumps(schema))


@cache
def _validator(schema: str) -> Draft202012Validator:
    components = {"components": closed(OPENAPI["components"])}
    return Draft202012Validator({**json.loads(schema), **components}, validate_formats=True)


def closed(schema: Any) -> Any:
    """Forbid members that the schema does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {"additionalProperties": False} if schema.get("type") == "object" else {}
    return {**whole, **{name: closed(each) for name, each in schema.items()}}
