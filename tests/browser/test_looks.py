"""Pages are readable and usable on a phone, in a dark theme, and without scripts.

Needs Chromium; run with ``pytest -m browser``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import pytest

from api.lists.pagination import DEFAULT_LIMIT
from tests.browser.chromium import DESKTOP, PHONE, Site, Visitor

pytestmark = pytest.mark.browser

TODOS = "/api/todos/"
LISTS = "/api/lists/"
DOCS = "/api/docs/"
LONG_TITLE = "W" * 500
LONG_NAME = "W" * 255
MAX_OCTETS = 300_000

# Violations in the markup of Swagger UI, which no style sheet can change: a button and inputs
# without a name, headings that skip a level, a link inside a button, elements outside of <main>,
# and a scrolling response that the Tab key does not reach.
IN_SWAGGER_UI = (
    'button-name: <button type="button" class="close-modal">',
    "heading-order: <h3",
    "heading-order: <h6>Authorized",
    "nested-interactive: <button aria-expanded=",
    'region: <div class="information-container wrapper">',
    'region: <div class="schemes-server-container">',
    "region: <h3>Available authorizations",
    "region: <div>",
    'scrollable-region-focusable: <pre class="example microlight"',
    "select-name: <select",
)


def login(site: Site, visitor: Visitor) -> None:
    visitor.open("/api/login/")


def login_refused(site: Site, visitor: Visitor) -> None:
    visitor.open("/api/login/")
    visitor.paste(f"not a token {LONG_TITLE}", status=400)


def anonymous(site: Site, visitor: Visitor) -> None:
    visitor.open("/api/", status=401)


def root(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open("/api/")


def me(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor, name=LONG_NAME)
    visitor.open("/api/me/")


def empty_list(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(TODOS)


def full_list(site: Site, visitor: Visitor) -> None:
    """A list with one todo more than a page holds."""
    token = sign_in(site, visitor)
    todo = {"op": "create", "title": "Buy milk", "description": LONG_TITLE, "tags": ["home"]}
    visitor.api.post(f"{TODOS}batch/", token, {"operations": [todo] * (DEFAULT_LIMIT + 1)})
    visitor.open(TODOS)
    assert visitor.page.get_by_role("link", name="Next page →").is_visible()


def filtered_list(site: Site, visitor: Visitor) -> None:
    token = sign_in(site, visitor)
    for title in ("Buy milk", "Buy bread"):
        create(visitor, token, title)
    visitor.open(f"{TODOS}?limit=1&q=buy&tag=home")
    visitor.follow("Next page →")


def todo(site: Site, visitor: Visitor) -> None:
    visitor.open(create(visitor, sign_in(site, visitor), LONG_TITLE))
    for summary in visitor.page.locator("summary").all():
        summary.click()


def created(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(TODOS)
    visitor.fill("POST", title=LONG_TITLE)
    visitor.press("POST", status=201)


def deleted(site: Site, visitor: Visitor) -> None:
    visitor.open(create(visitor, sign_in(site, visitor), "Buy milk"))
    visitor.page.get_by_text("Delete…").click()
    visitor.press("Delete")


def trash(site: Site, visitor: Visitor) -> None:
    token = sign_in(site, visitor)
    for title in (LONG_TITLE, "Buy milk"):
        visitor.api.send("DELETE", create(visitor, token, title), token)
    visitor.open(f"{TODOS}trash/")
    for summary in visitor.page.locator("summary").all():
        summary.click()


def mistaken(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(TODOS)
    visitor.fill("POST", due_time="09:30", timezone=LONG_NAME)
    visitor.press("POST", status=400)


def mistaken_filter(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(f"{TODOS}?limit=0&due=never&unknown={LONG_NAME}", status=400)


def missing(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(f"{TODOS}{uuid.uuid4()}/", status=404)


def no_such_path(site: Site, visitor: Visitor) -> None:
    visitor.open("/nowhere/", status=404)


def somebody_elses(site: Site, visitor: Visitor) -> None:
    path = create(visitor, site.mint(sub=str(uuid.uuid4())), "Buy milk")
    sign_in(site, visitor)
    visitor.open(path, status=403)


def changed_meanwhile(site: Site, visitor: Visitor) -> None:
    token = sign_in(site, visitor)
    path = create(visitor, token, "Buy milk")
    visitor.open(path)
    visitor.api.send("PATCH", path, token, {"title": "Buy bread"})
    visitor.fill("PATCH", title=LONG_TITLE)
    visitor.press("PATCH", status=412)


def batch(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(f"{TODOS}batch/", status=405)


def lists(site: Site, visitor: Visitor) -> None:
    token = sign_in(site, visitor)
    visitor.api.post(LISTS, token, {"name": LONG_TITLE[:100], "color": "#ff8800"})
    visitor.open(LISTS)
    for summary in visitor.page.locator("summary").all():
        summary.click()


def list_mistaken(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(LISTS)
    visitor.fill("POST", name=LONG_TITLE, color=LONG_NAME)
    visitor.press("POST", status=400)


def list_created(site: Site, visitor: Visitor) -> None:
    sign_in(site, visitor)
    visitor.open(LISTS)
    visitor.fill("POST", name=LONG_TITLE[:100])
    visitor.press("POST", status=201)


PAGES = (
    login, login_refused, anonymous, root, me, empty_list, full_list, filtered_list, todo, created,
    deleted, trash, mistaken, mistaken_filter, missing, no_such_path, somebody_elses,
    changed_meanwhile, batch, lists, list_mistaken, list_created,
)  # fmt: skip


def docs(site: Site, visitor: Visitor) -> None:
    visitor.open(DOCS)
    visitor.page.get_by_role("button", name="GET /api/todos/ List your todos").wait_for()


def docs_authorizing(site: Site, visitor: Visitor) -> None:
    docs(site, visitor)
    visitor.page.get_by_role("button", name="Authorize").first.click()
    visitor.page.get_by_label("Value").fill(site.mint())
    visitor.page.get_by_label("Apply credentials").click()


def docs_tried_out(site: Site, visitor: Visitor) -> None:
    docs_authorizing(site, visitor)
    visitor.page.get_by_role("button", name="Close").last.click()
    visitor.page.get_by_role("button", name="GET /api/todos/ List your todos").click()
    visitor.page.get_by_role("button", name="Execute").click()
    visitor.page.get_by_text("Server response").wait_for()
    visitor.page.mouse.move(0, 0)


DOCS_PAGES = (docs, docs_authorizing, docs_tried_out)


def sign_in(site: Site, visitor: Visitor, name: str = "Alice") -> str:
    token = site.mint(sub=str(uuid.uuid4()), name=name)
    visitor.bring(token)
    return token


def create(visitor: Visitor, token: str, title: str) -> str:
    """Create a todo, and return its path."""
    body = {"title": title, "priority": "high", "tags": ["home"], "due_date": "2026-12-24"}
    return f"{TODOS}{visitor.api.post(TODOS, token, body).data['id']}/"


Reach = Callable[[Site, Visitor], None]
Scheme = Literal["light", "dark"]
DEVICES = {"desktop": DESKTOP, "phone": PHONE}


def across(pages: Sequence[Reach], *devices: str) -> list[tuple[Reach, str]]:
    return [(reach, device) for reach in pages for device in devices]


def on(cases: Sequence[tuple[Reach, str]]) -> pytest.MarkDecorator:
    """Parametrize with pages, each loaded once for all tests."""
    params = [pytest.param(case, id=f"{case[0].__name__}-{case[1]}") for case in cases]
    return pytest.mark.parametrize("shown", params, indirect=True, scope="module")


@pytest.fixture(scope="module")
def shown(site: Site, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A visitor at the page."""
    reach, device = request.param
    with site.visitor(**DEVICES[device]) as visitor:
        reach(site, visitor)
        yield visitor


light_and_dark = pytest.mark.parametrize("scheme", ["light", "dark"])


@light_and_dark
@on(across(PAGES, *DEVICES))
def test_axe_finds_no_violation(shown: Visitor, scheme: Scheme) -> None:
    shown.page.emulate_media(color_scheme=scheme)
    assert shown.breaches() == []


@light_and_dark
@on([(docs, "desktop"), *across(DOCS_PAGES, "phone")])
def test_axe_finds_only_known_violations_in_swagger_ui(shown: Visitor, scheme: Scheme) -> None:
    shown.page.emulate_media(color_scheme=scheme)
    assert [each for each in shown.breaches() if not each.startswith(IN_SWAGGER_UI)] == []


@on(across([*PAGES, *DOCS_PAGES], "phone"))
def test_no_page_scrolls_sideways_on_a_phone(shown: Visitor) -> None:
    assert shown.overflow_pixels() <= 0


@on(across(PAGES, "desktop"))
def test_every_page_takes_less_than_300_kilobytes(shown: Visitor) -> None:
    assert shown.octets_received() < MAX_OCTETS
