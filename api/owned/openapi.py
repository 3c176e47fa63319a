"""The OpenAPI document of a resource, made from its viewset."""

from __future__ import annotations

from typing import Any

from django.utils.text import camel_case_to_spaces
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from api.bodies.fields import NewIdField
from api.errors.schema import PROBLEM, components, reference
from api.lists.pagination import MAX_LIMIT
from api.openapi import JSON, Schema, merge, name_choices
from api.owned.feed import MAX_SINCE
from api.owned.push import ASSUMED, MAX_ROWS, NEW
from api.owned.registry import Resource, resources
from api.owned.serializers import OwnedSerializer

# The verb of each action and its summary, for nouns such as "todo" and "todos".
ACTIONS = {
    "list": ("list", "List your {plural}"),
    "changes": ("pull", "List the {plural} that have changed since a position"),
    "create": ("create", "Create a {noun}"),
    "retrieve": ("get", "Get a {noun}"),
    "update": ("replace", "Replace a {noun}: omitted fields return to their defaults"),
    "partial_update": ("change", "Change the fields that the body names (RFC 7396)"),
    "destroy": ("delete", "Delete a {noun}: into the trash, or for good"),
    "trash": ("list_deleted", "List your {plural} in the trash"),
    "sync": ("push", "Push what was changed without a network, each {noun} for itself"),
}
PLURAL = ("list", "pull", "push")  # verbs about several rows


def header(name: str, schema: Any, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description, **more)


IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    {"type": "string", "pattern": r"^[!-+\--~]{1,255}$"},
    "Chosen by the client. A repeat within 24 hours gets the stored answer.",
)
ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)
PERMANENT = OpenApiParameter(
    "permanent",
    {"type": "string", "enum": ["true"]},
    description="`true` takes the content away at once, also in the trash. No one can restore it.",
)
ETAG = header(
    "ETag",
    {"type": "string", "pattern": '^"[A-Za-z0-9_-]+"$'},
    "A strong entity tag, which every change replaces.",
    required=True,
    response=[200, 201, 304],
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, required=True, response=[201]
)
REPLAYED = header(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    "Present where the answer is the stored one of an earlier request.",
    response=[200, 201, 204],
)
REJECTION: JSON = {
    "type": "object",
    "required": ["id", "errors"],
    "properties": {
        "id": {"type": ["string", "null"], "description": "As it was sent, if it was a text."},
        "errors": {
            **PROBLEM["properties"]["errors"],
            "description": "The mistakes, with pointers into `newDocumentState`.",
        },
    },
}


SINCE = OpenApiParameter(
    "since",
    {"type": "integer", "minimum": 0, "maximum": MAX_SINCE},
    description="`0` for a client without a copy, or the `since` of a checkpoint. Default: `0`.",
)
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    description=f"How many at most; fewer at 1 MiB. Default: `{MAX_LIMIT}`.",
)


# No pattern: the API takes any text, and a malformed list matches nothing.
def if_match(noun: str) -> OpenApiParameter:
    return header(
        "If-Match",
        {"type": "string", "examples": ["*", '"9U-UwHWJTug8S9Ll"']},
        f"An `etag`, a list of them, or `*`. The answer is 412 if the {noun} has another one.",
    )


def if_none_match(noun: str) -> OpenApiParameter:
    return header(
        "If-None-Match",
        {"type": "string", "examples": ['"9U-UwHWJTug8S9Ll"']},
        f"An `etag` or a list of them. The answer is 304 if the {noun} has one of them.",
    )


def name_of(view: Any) -> str:
    """Return the name of a resource in the document: ``Todo`` for ``TodoSerializer``."""
    return str(view.serializer_class.__name__.removesuffix("Serializer"))


class OwnedSchema(Schema):
    """Subclass of Schema that describes an ``OwnedViewSet``.

    An extra action on one row takes no body, and repeating it changes nothing. Any other one needs
    an ``@extend_schema`` of its own.
    """

    view: Any

    @property
    def _action(self) -> str:
        return str(self.view.action)

    @property
    def _noun(self) -> str:
        return camel_case_to_spaces(name_of(self.view))

    @property
    def _plural(self) -> str:
        path = self.path.removesuffix("/").removesuffix(f"/{self._action}")
        return str(path.split("/")[-1].replace("-", " "))

    def get_operation_id(self) -> str:
        verb, _ = ACTIONS.get(self._action, (self._action, ""))
        first, *others = verb.split("_")
        name = self._plural.title() if first in PLURAL else name_of(self.view)
        return "".join([first, *map(str.capitalize, others), *name.split()])

    def get_summary(self) -> str:
        if self._action in ACTIONS:
            return ACTIONS[self._action][1].format(noun=self._noun, plural=self._plural)
        verb = self._action.replace("_", " ").capitalize()
        return f"{verb} a {self._noun}; repeating it changes nothing"

    def get_override_parameters(self) -> Any:
        match self._action:
            case "create":
                return [IDEMPOTENCY_KEY, ETAG, LOCATION, REPLAYED]
            case "changes":
                return [SINCE, LIMIT, if_none_match("list of changes"), ETAG]
            case "sync":
                return [IDEMPOTENCY_KEY, REPLAYED]
            case "retrieve":
                return [ID, if_none_match(self._noun), ETAG]
        if not self.view.detail:
            return []
        permanent = [PERMANENT] if self._action == "destroy" else []
        return [ID, *permanent, if_match(self._noun), IDEMPOTENCY_KEY, ETAG, REPLAYED]

    def get_request_serializer(self) -> Any:
        if self._action == "sync":
            return {"application/json": reference("schemas", f"{name_of(self.view)}Push")}
        return super().get_request_serializer() if self._action in ACTIONS else None

    def get_response_serializers(self) -> Any:
        if self._action == "retrieve":
            return {200: self.view.serializer_class, 304: None}
        if self._action == "create":
            return dict.fromkeys((200, 201), self.view.serializer_class)
        if self._action == "changes":
            return {200: reference("schemas", f"{name_of(self.view)}Changes"), 304: None}
        if self._action == "sync":
            return {200: reference("schemas", f"{name_of(self.view)}PushResult")}
        if self._action == "trash":
            return self.view.serializer_class(many=True)
        return super().get_response_serializers()

    def _postprocess_serializer_schema(self, schema: JSON, serializer: Any, direction: str) -> JSON:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        if not isinstance(serializer, OwnedSerializer) or direction != "request":
            return schema
        if serializer.partial:
            del schema["properties"]["id"]  # a change may have one, which repeats its path
            return schema
        schema["properties"]["id"] |= {
            "pattern": NewIdField.pattern,
            "description": "Of a new row: version 4 or 7. Without one, the server makes it. "
            "Of a replacement: the id in the path.",
        }
        if serializer.example:
            schema["examples"] = [serializer.example]
        return schema


def overlay(*, result: JSON, **kwargs: Any) -> JSON:
    """Add tags, links and shared components: a postprocessing hook of drf-spectacular."""
    document = name_choices(result)
    for resource in resources():
        document["tags"].append(tag_of(resource))
        add_links(document, resource)
        document["components"]["schemas"] |= changes(document, name_of(resource.view))
        add_push(document, resource)
    merge(document, {"components": components(current=current())})
    return document


def current() -> JSON:
    rows = [reference("schemas", name_of(each.view)) for each in resources()]
    description = "The row as it is now: only of a 412 about one."
    return {"anyOf": rows, "description": description}


def changes(document: JSON, name: str) -> JSON:
    """Return schemas of the answer with changes. A row without content has blank texts."""
    row, deleted = document["components"]["schemas"][name], {"type": "boolean"}
    texts = {
        field: {"anyOf": [schema, {"type": "string", "maxLength": 0}]}
        for field, schema in row["properties"].items()
        if schema.get("type") == "string" and "pattern" in schema
    }
    return {
        f"{name}Document": {
            **row,
            "description": f"{row['description']} `deleted` tells if it is in the trash.",
            "properties": {**row["properties"], **texts, "deleted": deleted},
            "required": [*row["required"], "deleted"],
        },
        f"{name}Changes": {
            "type": "object",
            "required": ["documents", "checkpoint", "more"],
            "properties": {
                "documents": {"type": "array", "items": reference("schemas", f"{name}Document")},
                "checkpoint": {
                    "type": "object",
                    "description": "Where to go on.",
                    "required": ["since"],
                    "properties": {"since": {"type": "integer", "minimum": 0}},
                },
                "more": {"type": "boolean", "description": "Ask again at once."},
            },
        },
    }


def tag_of(resource: Resource) -> JSON:
    return {"name": resource.plural, "description": f"The {resource.plural} of this user."}


def add_push(document: JSON, resource: Resource) -> None:
    """Add the schemas of a push, with the fields of a request, and of its answer."""
    schemas, name = document["components"]["schemas"], name_of(resource.view)
    operation = document["paths"].get(f"{resource.path}sync/", {}).get("post")
    if operation is None:  # the resource takes no POST
        return
    operation["requestBody"]["required"] = True
    request, flag = schemas[f"{name}Request"], {"type": "boolean"}
    new_id = {"type": "string", "format": "uuid", "pattern": NewIdField.pattern}
    fields = {**request["properties"], "id": new_id, "deleted": flag}
    example = {
        "id": "0190f1f6-5d7c-7e0a-8f3e-2b1c9d4e5f60",
        **resource.view.serializer_class.example,
    }
    assumed = {
        "type": ["object", "null"],
        "description": "The document as the client has seen it last. Absent or null: it is new.",
        "additionalProperties": True,
    }
    schemas |= {
        f"{name}Push": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ROWS,
            "items": reference("schemas", f"{name}Change"),
            "examples": [[{NEW: example}]],
        },
        f"{name}Change": {
            "type": "object",
            "required": [NEW],
            "additionalProperties": False,
            "properties": {NEW: reference("schemas", f"Pushed{name}"), ASSUMED: assumed},
        },
        f"Pushed{name}": {
            "type": "object",
            "description": "A new row needs its required fields. An edit may leave fields out.",
            "required": ["id"],
            "additionalProperties": False,
            "properties": fields,
        },
        f"{name}PushResult": {
            "type": "object",
            "required": ["conflicts", "rejected"],
            "properties": {
                "conflicts": {"type": "array", "items": reference("schemas", f"{name}Document")},
                "rejected": {"type": "array", "items": reference("schemas", "Rejection")},
            },
        },
        "Rejection": REJECTION,
    }


def add_links(document: JSON, resource: Resource) -> None:
    """Link each answer with a row to what can be done with the row next."""
    operations = [
        (path, operation)
        for path, methods in document["paths"].items()
        if path.startswith(resource.path)
        for operation in methods.values()
    ]
    links: JSON = {}
    for path, operation in operations:
        if "{id}" in path:
            links |= links_to(operation)
    document["components"].setdefault("links", {}).update(links)
    row = {"application/json": {"schema": reference("schemas", name_of(resource.view))}}
    for _, operation in operations:
        for response in operation["responses"].values():
            if response.get("content") == row:
                response["links"] = {name: reference("links", name) for name in links}


def links_to(operation: JSON) -> JSON:
    """Return links by the id of the row, and with the preconditions that the operation takes."""
    name = operation["operationId"]
    taken = {each["name"] for each in operation["parameters"]}
    links = {name: link(name, *(taken & {"If-Match"}))}
    if "If-None-Match" in taken:
        links[f"{name}IfChanged"] = link(name, "If-None-Match")
    return links


def link(operation_id: str, *preconditions: str) -> JSON:
    parameters = dict.fromkeys(preconditions, "$response.header.ETag")
    return {
        "operationId": operation_id,
        "parameters": {"id": "$response.body#/id", **parameters},
    }
