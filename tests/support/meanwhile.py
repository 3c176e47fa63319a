"""Act in the middle of a request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.owned.viewset import OwnedViewSet

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
