from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings

from api.owned.viewset import OwnedViewSet
from todos.models import Todo
from todos.tests.factories import make_todo

# No other database has this index.
is_postgresql = "postgresql" in settings.DATABASES["default"]["ENGINE"]
collect_ignore = [] if is_postgresql else ["test_search_index.py"]

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """``meanwhile(act)``: act once, after the next request has read its row."""
    check_target = OwnedViewSet.check_target

    def arrange(act: Callable[[], object]) -> None:
        waiting = [act]

        def act_once_it_is_read(view: OwnedViewSet) -> None:
            check_target(view)
            if waiting:
                waiting.pop()()

        monkeypatch.setattr(OwnedViewSet, "check_target", act_once_it_is_read)

    return arrange


@pytest.fixture
def todo(change: str) -> Todo:
    """A todo of Alice's that one of ``CHANGES`` changes."""
    return make_todo(title="Buy milk", completed=change == "reopen")
