"""By which id a request is known: in its answer, in a problem document and in the log."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from pytest_django import Settings

ID = "7d0a1c5e-38c5-4f0e-9f55-0d0c6f7b9a11"


def ask(client: Client, sent: str) -> str:
    response = client.get("/api/me/", headers={"x-request-id": sent})
    found: str = response["X-Request-Id"]
    assert str(uuid.UUID(found)) == found
    assert response.json()["instance"] == f"urn:uuid:{found}"
    return found


@pytest.mark.parametrize("proxies", [1, 2])
def test_what_a_trusted_proxy_says_it_is(
    anonymous: Client, settings: Settings, proxies: int, caplog: pytest.LogCaptureFixture
) -> None:
    settings.NUM_PROXIES = proxies
    assert ask(anonymous, ID) == ID
    assert [record.fields["request_id"] for record in caplog.records] == [ID]  # type: ignore[attr-defined]


def test_what_a_client_says_of_it_is_not_read(anonymous: Client) -> None:
    assert ask(anonymous, ID) != ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        ID.upper(),
        ID.replace("-", ""),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        f" {ID}",
        f"{ID}\n",
        f"{ID},{ID}",
        f"{ID[:-1]}é",
        "x" * 100_000,
    ],
)
def test_what_is_no_id_is_not_taken_for_one(
    anonymous: Client, settings: Settings, text: str
) -> None:
    settings.NUM_PROXIES = 1
    assert ask(anonymous, text) not in (ID, text)
