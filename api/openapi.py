"""What the OpenAPI document says of every operation, beside what its own view says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiFilterExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from api.bodies.serializers import StrictSerializer, default_of
from api.errors.schema import COUNTED, reference, response_name

JSON = dict[str, Any]

IGNORED = {"description": "Read-only: taken, so that what a GET brought can be sent, and ignored."}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "authn.authentication.JWTAuthentication"
    match_subclasses = True
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> JSON:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `token` of Better Auth's `GET /api/auth/token`.",
        }


class FilterParameters(OpenApiFilterExtension):  # type: ignore[no-untyped-call]
    """Of the fields that the filters take, with their limits."""

    target_class = "api.lists.filters.FilterBackend"
    priority = 1

    def get_schema_operation_parameters(
        self, auto_schema: Any, *args: Any, **kwargs: Any
    ) -> list[JSON]:
        filters = auto_schema.view.filterset_class.base_filters.items()
        return [
            {**auto_schema.query_parameter(name, each.extra["takes"]), **bound(each.lookup_expr)}
            for name, each in filters
        ]


class Schema(AutoSchema):
    """Adds to an operation what every operation has in common."""

    def get_operation(self, *args: Any, **kwargs: Any) -> JSON | None:
        operation: JSON | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for status, response in operation["responses"].items():
            response["description"] = HTTPStatus(int(status)).phrase
            headers = response.setdefault("headers", {})
            headers.update({name: reference("headers", name) for name in COUNTED})
        for status in self._problem_statuses(operation):
            problem = reference("responses", response_name(status))
            operation["responses"].setdefault(str(status), problem)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def get_description(self) -> str:  # type: ignore[override]
        return ""  # docstrings of views are for those who change them

    def query_parameter(self, name: str, field: serializers.Field[Any, Any, Any, Any]) -> JSON:
        schema = self._map_serializer_field(field, "request")  # type: ignore[no-untyped-call]
        self._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        describe(schema, field)
        return {"in": "query", "name": name, "schema": schema}

    def _problem_statuses(self, operation: JSON) -> Iterable[int]:
        yield from (400, 406, 429, 500, 503)
        if any(operation.get("security", [])):
            yield 401
        if "{id}" in self.path:
            yield from (403, 404)
        if self.method in ("POST", "PUT", "PATCH"):
            yield from (408, 411, 413, 415)
        names = {each["name"] for each in operation.get("parameters", ())}
        if "Idempotency-Key" in names:
            yield from (409, 422)
        if names & {"If-Match", "If-None-Match"}:
            yield 412
        if "If-Match" in names:
            yield 428

    def _map_basic_serializer(self, serializer: Any, direction: str) -> JSON:
        schema: JSON = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        for name, property_schema in schema.get("properties", {}).items():
            describe(property_schema, serializer.fields[name])
        return schema

    def _postprocess_serializer_schema(self, schema: JSON, serializer: Any, direction: str) -> JSON:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)  # type: ignore[no-untyped-call]
        for property_schema in schema["properties"].values():
            property_schema.pop("default", None)
        if direction == "response":
            schema["required"] = [*schema["properties"]]
        elif isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
            read_only = (name for name, field in serializer.fields.items() if field.read_only)
            schema["properties"].update(dict.fromkeys(read_only, IGNORED))
            say_defaults(schema, serializer)
            if serializer.partial:
                take_away(schema, serializer)
        return schema


def bound(lookup: str) -> JSON:
    bounds = {"gte": "This or later.", "lt": "Earlier than this."}
    return {"description": bounds[lookup]} if lookup in bounds else {}


def refer_to_choices(result: JSON, **kwargs: Any) -> JSON:
    """A postprocessing hook of drf-spectacular: choices that have a name are said once."""
    schemas = result["components"]["schemas"]
    named = {name: schema for name, schema in schemas.items() if "enum" in schema}
    result["paths"] = _referring(result["paths"], named)
    for name in schemas.keys() - named.keys():
        schemas[name] = _referring(schemas[name], named)
    return result


def _referring(part: Any, named: dict[str, JSON]) -> Any:
    if isinstance(part, list):
        return [_referring(each, named) for each in part]
    if not isinstance(part, dict):
        return part
    for name, schema in named.items():
        if part == schema:
            return reference("schemas", name)
    return {name: _referring(each, named) for name, each in part.items()}


def describe(schema: JSON, field: Any) -> None:
    """Say what a field says of itself; ``None`` unsays what its type told."""
    for name, value in getattr(field, "openapi", {}).items():
        schema[name] = value
        if value is None:
            del schema[name]
    if isinstance(field, serializers.ListField):
        describe(schema["items"], field.child)


def say_defaults(schema: JSON, serializer: StrictSerializer) -> None:
    """Say in words what an optional field becomes.

    openapi-typescript and others make a property with a ``default`` a required one.
    """
    said = "`null` stands for" if serializer.partial else "Default:"
    for name, field in serializer.optional_fields().items():
        default = default_of(field)
        shown = None if default is None else field.to_representation(default)
        if shown is not None or not serializer.partial:
            add_text(schema["properties"][name], f"{said} `{json.dumps(shown)}`.")


def add_text(schema: JSON, text: str) -> None:
    schema["description"] = f"{schema.get('description', '')} {text}".lstrip()


def take_away(schema: JSON, serializer: StrictSerializer) -> None:
    """``null`` returns what is optional to its default (RFC 7396)."""
    for name in serializer.optional_fields():
        property_schema = schema["properties"][name]
        types = property_schema["type"]
        if "enum" in property_schema:
            description = property_schema.pop("description")
            anything = {"anyOf": [property_schema, {"type": "null"}]}
            schema["properties"][name] = {**anything, "description": description}
        elif isinstance(types, str):
            property_schema["type"] = [types, "null"]
