"""The requests of ``docs/oauth.md`` get the answers in their comments.

They run against a real process. Needs bash and curl; run with ``pytest -m live``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from api.permissions import READ, WRITE
from tests.faults.stub_issuer import stub_issuer
from tests.support.oauth import RESOURCE, access_token
from tests.support.page_requests import promises_of, run_requests
from tests.support.pages import first_cells, read, section, texts
from tests.support.processes import Servers

PAGE = "docs/oauth.md"


def test_the_page_has_the_scopes_of_the_code() -> None:
    assert first_cells(section(PAGE, "Scopes")) == [f"`{READ}`", f"`{WRITE}`"]
    (configuration,) = texts(PAGE, "ts")
    assert f'"{READ}", "{WRITE}"' in configuration
    assert f'"{RESOURCE}"' in configuration


@pytest.mark.live
def test_a_request_gets_the_answer_in_its_comment(servers: Servers, tmp_path: Path) -> None:
    script = "".join(texts(PAGE, "sh", "Requests"))
    assert len(promises_of(script)) == read(PAGE).count("curl ") == 8
    (shown,) = texts(PAGE, "", "Requests")
    with stub_issuer() as stub:
        api = servers.api(BETTER_AUTH_URL=stub.url, OAUTH_RESOURCE=RESOURCE)
        tokens = {
            "READER": access_token(stub.issuer, READ),
            "EDITOR": access_token(stub.issuer, READ, WRITE),
        }
        run_requests(script, tmp_path, api.url, tokens)
    one_line = " ".join(shown.split())  # which the page wraps
    assert one_line.lower() in (tmp_path / "heads").read_text().lower()
