from __future__ import annotations

import pytest
from django.conf import settings

from todos.models import Todo
from todos.tests.factories import make_todo

# No other database has this index.
is_postgresql = "postgresql" in settings.DATABASES["default"]["ENGINE"]
collect_ignore = [] if is_postgresql else ["test_search_index.py"]


@pytest.fixture
def todo(change: str) -> Todo:
    """A todo of Alice's that one of ``CHANGES`` changes."""
    return make_todo(title="Buy milk", completed=change == "reopen")
