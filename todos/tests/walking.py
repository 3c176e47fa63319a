"""From page to page, as a client follows the links."""

from __future__ import annotations

from typing import Any

from django.test import Client

MANY = 100  # more pages than any test has


def walk(client: Client, url: str | None, direction: str = "next") -> list[dict[str, Any]]:
    pages = []
    while url:
        response = client.get(url)
        assert response.status_code == 200
        pages.append(response.json())
        url = pages[-1][direction]
        assert len(pages) < MANY, "the pages go round in circles"
    return pages


def shown(page: dict[str, Any], field: str = "title") -> list[Any]:
    return [todo[field] for todo in page["results"]]
