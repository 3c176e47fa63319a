"""A browser without scripts, which keeps cookies, follows redirects and sends forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

from django.http import HttpResponse
from django.test import Client

# Chromium sends this.
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"


class Browser:
    """A user's browser. ``client`` sends requests that no page of it would send."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"accept": ACCEPT})

    def get(self, url: str, **headers: str) -> Page:
        return self._page(url, self.client.get(url, headers=headers))

    def send(self, form: Form, values: list[tuple[str, str]]) -> Page:
        if form.method == "get":
            return self.get(f"{form.action.partition('?')[0]}?{urlencode(values)}")
        response: Any = self.client.post(form.action, urlencode(values), FORM)
        return self._page(form.action, response)

    def _page(self, url: str, response: Any) -> Page:
        if response.status_code in (301, 302, 303):
            return self.get(urljoin(url, response["Location"]))
        return Page(self, url, response)


@dataclass
class Form:
    """A form. ``fields`` has what it sends unchanged, ``buttons`` the name and value of each."""

    page: Page
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)

    def submit(self, button: str = "", **values: str | list[str] | None) -> Page:
        """Fill in ``values`` and press a button. ``None`` removes a field, as unticking does."""
        unknown = values.keys() - self.names
        assert not unknown, f"no such fields: {unknown}"
        sent = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            each = value if isinstance(value, list) else [value]
            sent += [(name, text) for text in each if text is not None]
        pressed = next(each for each in self.buttons if not button or each[1] == button)
        return self.page.browser.send(self, [*sent, *([pressed] if pressed[0] else [])])

    def value(self, name: str) -> str:
        return dict(self.fields).get(name, "")


class Page(HTMLParser):
    def __init__(self, browser: Browser, url: str, response: HttpResponse) -> None:
        super().__init__()
        self.browser = browser
        self.url = url
        self.response = response
        self.status = response.status_code
        self.html = response.content.decode()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}  # addresses by the text of their links
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self._texts: list[str] = []
        self._by_id: dict[str, str] = {}
        self._inside: list[tuple[str, str]] = []  # the tags that are open, each with its id
        self._href = self._area = self._select = ""
        self.feed(self.html)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self._texts))

    def form(self, name: str, *, button: str = "") -> Form:
        """The first form with a field of this name and, where given, this button."""
        for form in self.forms:
            has_button = not button or button in [value for _, value in form.buttons]
            if name in form.names and has_button:
                return form
        raise AssertionError(f"no form with {name}: {[form.names for form in self.forms]}")

    def form_to(self, ending: str) -> Form:
        (form,) = [form for form in self.forms if form.action.endswith(ending)]
        return form

    def text_of(self, element: str) -> str:
        """The text of the element with this id."""
        return self._by_id[element].strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        self.attributes |= {*at}
        if "id" in at:
            self.ids.append(at["id"])
            self._by_id[at["id"]] = ""
        self._inside.append((tag, at.get("id", "")))
        name = at.get("name", "")
        match tag:
            case "form":
                action = at.get("action") or self.url
                self.forms.append(Form(self, action, at.get("method", "get")))
            case "input":
                self._inside.pop()
                self._input(name, at)
            case "textarea":
                self._area = name
                self.forms[-1].names.add(name)
                self.forms[-1].fields.append((name, ""))
            case "select":
                self._select = name
                self.forms[-1].names.add(name)
                self.forms[-1].options[name] = []
            case "option":
                self._option(at)
            case "button":
                self.forms[-1].buttons.append((name, at.get("value", "")))
            case "a":
                self._href = at.get("href", "")
            case "meta" | "link":
                self._inside.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass
        if tag in ("textarea", "select"):
            self._area = self._select = ""
        if tag == "a":
            self._href = ""

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        for _, element in self._inside:
            if element:
                self._by_id[element] += data
        if self._area:
            # HTML drops a newline at the start of a textarea.
            self.forms[-1].fields[-1] = (self._area, data.removeprefix("\n"))
        if self._href:
            self.links[data.strip()] = self._href

    def _input(self, name: str, at: dict[str, str]) -> None:
        form = self.forms[-1]
        form.names.add(name)
        if at.get("type") == "checkbox":
            if "checked" in at:
                form.fields.append((name, at.get("value", "on")))
        else:
            form.fields.append((name, at.get("value", "")))

    def _option(self, at: dict[str, str]) -> None:
        form, name = self.forms[-1], self._select
        form.options[name].append(at["value"])
        if "selected" in at or len(form.options[name]) == 1:
            form.fields = [each for each in form.fields if each[0] != name]
            form.fields.append((name, at["value"]))
