"""The routes of todos that the tests of all routes cannot know from the viewset."""

from __future__ import annotations

import json

from tests.support.rules import READ, Rule
from todos.models import Todo
from todos.serializers import TodoSerializer

ROUTES = {
    "/api/todos/batch/": Rule(
        {"OPTIONS": 200, "POST": 200},
        body=json.dumps({"operations": [{"op": "create", **TodoSerializer.example}]}),
        model=Todo,
    ),
    "/api/todos/summary/": Rule(READ, model=Todo),
}
