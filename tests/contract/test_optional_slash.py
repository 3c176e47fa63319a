from __future__ import annotations

import pytest
from django.test import Client

from api.owned.registry import Resource
from tests.support.routes import every_resource, paths_of
from tests.support.rows import make_row


@pytest.mark.django_db
@every_resource
def test_a_path_without_its_slash_has_the_same_answer(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    path, *actions = paths_of(resource, row.pk)
    for each in ("/api/", resource.path, path):
        assert alice.get(each.rstrip("/")).json() == alice.get(each).json()
    body = resource.view.serializer_class.example
    created = alice.post(resource.path.rstrip("/"), body, content_type="application/json")
    assert created.status_code == 201
    for each in actions:
        assert alice.generic("POST", each.rstrip("/")).json()["id"] == str(row.pk)
    assert alice.delete(path.rstrip("/")).status_code == 204
