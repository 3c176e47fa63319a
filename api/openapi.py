"""The parts of the OpenAPI document that every operation shares."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiFilterExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from api.bodies.serializers import StrictSerializer, default_of
from api.errors.schema import COUNTED, reference, response_name

JSON = dict[str, Any]

IGNORED = {"description": "Read-only: ignored, so that the answer to a GET can be sent back."}
BOUNDS = {"gte": {"description": "This or later."}, "lt": {"description": "Earlier than this."}}


class FilterParameters(OpenApiFilterExtension):  # type: ignore[no-untyped-call]
    """A query parameter for each filter, with the limits of its field."""

    target_class = "api.lists.filters.FilterBackend"
    priority = 1

    def get_schema_operation_parameters(
        self, auto_schema: Any, *args: Any, **kwargs: Any
    ) -> list[JSON]:
        return [
            auto_schema.query_parameter(name, field)
            | BOUNDS.get(field.source.rpartition("__")[2], {})
            for name, field in auto_schema.view.filterset_class().fields.items()
        ]


class Schema(AutoSchema):
    """Subclass of drf-spectacular's that adds problems and shared header fields to operations."""

    def get_operation(self, *args: Any, **kwargs: Any) -> JSON | None:
        operation: JSON | None = super().get_operation(*args, **kwargs)
        if operation is None:  # of a view without a schema
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
        return ""  # the docstring of a view is for its developers

    def query_parameter(self, name: str, field: serializers.Field[Any, Any, Any, Any]) -> JSON:
        schema = self._map_serializer_field(field, "request")  # type: ignore[no-untyped-call]
        self._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        describe(schema, field)
        return {"in": "query", "name": name, "schema": schema}

    def _problem_statuses(self, operation: JSON) -> Iterable[int]:
        yield from (400, 406, 429, 500, 503)
        if any(operation.get("security", [])):
            yield from (401, 403)
        if "{id}" in self.path:
            yield 404
        if self.method in ("POST", "PUT", "PATCH"):
            yield from (408, 411, 413, 415)
        names = {each["name"] for each in operation.get("parameters", ())}
        if "Idempotency-Key" in names:
            yield from (409, 422)
        if "since" in names:
            yield 410
        elif names & {"If-Match", "If-None-Match"}:
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
            read_only = {
                name: IGNORED for name, each in serializer.fields.items() if each.read_only
            }
            schema["properties"].update(read_only)
            tell_defaults(schema["properties"], serializer)
        return schema


def merge(target: JSON, patch: JSON) -> None:
    """Apply a JSON Merge Patch (RFC 7396) in place."""
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict) and isinstance(target.get(name), dict):
            merge(target[name], value)
        else:
            target[name] = value


def name_choices(document: JSON) -> JSON:
    """Refer to the named choices where drf-spectacular repeats them, as in a query parameter."""
    schemas = document["components"]["schemas"]
    named = {name: schema for name, schema in schemas.items() if "enum" in schema}

    def referring(part: Any) -> Any:
        if isinstance(part, list):
            return [referring(each) for each in part]
        if not isinstance(part, dict):
            return part
        for name, schema in named.items():
            if part == schema:
                return reference("schemas", name)
        return {name: referring(each) for name, each in part.items()}

    renamed: JSON = referring(document)
    renamed["components"]["schemas"] |= named
    return renamed


def describe(schema: JSON, field: Any) -> None:
    merge(schema, getattr(field, "openapi", {}))
    if isinstance(field, serializers.ListField):
        describe(schema["items"], field.child)


def tell_defaults(properties: JSON, serializer: StrictSerializer) -> None:
    """Name the default of an optional field in its description, without a ``default``.

    Generators such as openapi-typescript make a property with a ``default`` a required one. In a
    merge patch, ``null`` returns a field to its default (RFC 7396).
    """
    said = "`null` stands for" if serializer.partial else "Default:"
    for name, field in serializer.optional_fields().items():
        schema, default = properties[name], default_of(field)
        shown = None if default is None else field.to_representation(default)
        if shown is not None or not serializer.partial:
            text = f"{schema.get('description', '')} {said} `{json.dumps(shown)}`."
            schema["description"] = text.lstrip()
        if serializer.partial and "enum" in schema:
            description = schema.pop("description")
            choices = {"anyOf": [schema, {"type": "null"}]}
            properties[name] = {**choices, "description": description}
        elif serializer.partial and isinstance(schema["type"], str):
            schema["type"] = [schema["type"], "null"]
