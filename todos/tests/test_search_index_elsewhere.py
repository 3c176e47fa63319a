from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command


def test_a_search_index_is_for_postgresql_only(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "todos.management.commands.index_search.connection"
    monkeypatch.setattr(module, SimpleNamespace(vendor="sqlite"))
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        call_command("index_search")
