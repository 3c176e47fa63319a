"""The requests of the README and of ``docs/api.md`` get the answers in their comments.

They run against a real process. Needs bash and curl; run with ``pytest -m live``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documented import OPENAPI
from tests.support.page_requests import promises_of, run_requests
from tests.support.pages import section, texts
from tests.support.processes import Api

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("page", "title", "fewest"),
    [("README.md", "Three requests", 3), ("docs/api.md", "Requests", 25)],
)
def test_a_request_gets_the_answer_in_its_comment(
    api: Api, token: str, tmp_path: Path, page: str, title: str, fewest: int
) -> None:
    script = "".join(texts(page, "sh", title))
    assert len(promises_of(script)) == section(page, title).count("curl ") >= fewest
    run_requests(script, tmp_path, api.url, {"TOKEN": token})


def test_every_endpoint_has_a_request(api: Api, token: str, tmp_path: Path) -> None:
    script = "".join(texts("docs/api.md", "sh", "Requests"))
    run_requests(script, tmp_path, api.url, {"TOKEN": token})
    sent = (tmp_path / "sent").read_text()
    for template, operations in OPENAPI["paths"].items():
        url = re.escape(api.url) + re.sub(r"{\w+}", "[^/]+", template)
        for method in operations:
            assert re.search(rf"^{method.upper()} {url}(\?.*)?$", sent, re.MULTILINE), template
