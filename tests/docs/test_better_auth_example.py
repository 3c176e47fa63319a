"""The requests of ``examples/better-auth/README.md`` get the answers in their comments.

Needs Node, bash and curl; run with ``pytest -m interop``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.page_requests import run_requests
from tests.support.pages import texts
from tests.support.processes import Servers

pytestmark = pytest.mark.interop

PAGE = "examples/better-auth/README.md"
RESOURCE = "https://todos.example.com"
ISSUER_ADDRESS = "http://127.0.0.1:3000"


def test_the_requests_of_the_page_get_the_answers_in_their_comments(
    servers: Servers, tmp_path: Path
) -> None:
    issuer = servers.issuer(
        ADMIN_EMAIL="admin@example.com",
        OAUTH_RESOURCE=RESOURCE,
        OAUTH_MACHINE_SECRET="machine-secret",
    )
    api = servers.api(issuer, OAUTH_RESOURCE=RESOURCE)
    script = "".join(text for text in texts(PAGE, "sh") if "npm" not in text)
    script = script.replace(ISSUER_ADDRESS, issuer.url)
    run_requests(script, tmp_path, api.url, {})
