"""What a worker does once, so that no request has to."""

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


@pytest.mark.parametrize(("debug", "left"), [("true", 0), ("false", 1)])
def test_queries_are_dropped_before_a_request_where_they_are_kept(debug: str, left: int) -> None:
    code = """
        import config.wsgi
        from django.core.signals import request_started
        from django.db import connection
        connection.queries_log.append({})
        request_started.send(sender=None, environ={})
        print(len(connection.queries_log))
    """
    result = run(dedent(code), BETTER_AUTH_SECRET=SECRET, DEBUG=debug)
    assert result.stdout == f"{left}\n", result.stderr
