from __future__ import annotations

import pytest
from django.test import Client

from tests.support.statements import Scene
from todos.tests.conftest import Meanwhile
from todos.tests.conftest import meanwhile as meanwhile  # also a fixture here
from todos.tests.factories import make_todo


@pytest.fixture
def scene(alice: Client, meanwhile: Meanwhile) -> Scene:
    return Scene(alice, make_todo(), meanwhile)
