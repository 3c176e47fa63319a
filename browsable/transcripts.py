"""What was asked and answered: JSON to the letter with links in it, and the line for a terminal."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rest_framework.renderers import JSONRenderer

from api.requests import root_of
from browsable.submissions import submission_in

# Possessive, so that no text is looked at twice.
TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]++|\\.)*+")(?P<key>(?=:))?'
    r"|(?P<word>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)"
)
MAX_COLOURED_CHARACTERS = 200_000
CHANGING_FIELDS = ("If-Match", "Idempotency-Key")


def as_html(data: Any, links: Mapping[str, str]) -> SafeString:
    """The JSON of ``data``. A text that ``links`` has leads to where that says.

    In colours, unless there is so much of it that the marks would cost more than the answer.
    """
    text = JSONRenderer().render(data, "application/json; indent=2").decode()
    if len(text) > MAX_COLOURED_CHARACTERS:
        return escape(text)
    parts, position = [], 0
    for match in TOKEN.finditer(text):
        parts += [escape(text[position : match.start()]), _marked(match, links)]
        position = match.end()
    return mark_safe("".join([*parts, escape(text[position:])]))  # noqa: S308 - all escaped


def _marked(match: re.Match[str], links: Mapping[str, str]) -> str:
    text = match[0]
    if match["key"] is not None:
        return f'<span class="key">{escape(text)}</span>'
    if match["word"]:
        return f'<span class="word">{text}</span>'
    if target := links.get(json.loads(text)):
        return f'<a href="{escape(target)}">{escape(text)}</a>'
    return f'<span class="text">{escape(text)}</span>'


def own_addresses(data: Any, request: HttpRequest) -> dict[str, str]:
    """The top-level values that are addresses of this very API, each with itself."""
    root = f"{root_of(request)}/"
    values = data.values() if isinstance(data, dict) else ()
    return {each: each for each in values if isinstance(each, str) and each.startswith(root)}


def as_curl(request: HttpRequest) -> str:
    """The same request from a terminal. Of a body, only one that a page made is known here."""
    line = [f"curl -i {shlex.quote(root_of(request) + request.get_full_path())}"]
    line.append('-H "Authorization: Bearer $TOKEN"')
    if request.method not in ("GET", "HEAD"):
        line.insert(1, f"-X {request.method}")
        fields = [name for name in CHANGING_FIELDS if name in request.headers]
        line += [f"-H {shlex.quote(f'{name}: {request.headers[name]}')}" for name in fields]
    if submission_in(request) and request.body:
        line.append("-H 'Content-Type: application/json'")
        line.append(f"--data-raw {shlex.quote(request.body.decode())}")
    return " \\\n  ".join(line)
