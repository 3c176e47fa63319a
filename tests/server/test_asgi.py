"""A worker loads everything before its first request."""

from __future__ import annotations

from textwrap import dedent

import pytest

from authn.testing import SECRET
from tests.support.settings import run

pytestmark = pytest.mark.live


def test_everything_is_loaded_and_kept_from_the_garbage_collector() -> None:
    code = """
        import gc, sys
        import server.asgi
        print("todos.views" in sys.modules, gc.get_freeze_count() > 50_000)
    """
    result = run(dedent(code), BETTER_AUTH_SECRET=SECRET)
    assert result.stdout == "True True\n", result.stderr
