"""A response, its problem document and its log line have the same request id."""

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
def test_the_id_of_a_trusted_proxy_is_kept(
    anonymous: Client, settings: Settings, proxies: int, caplog: pytest.LogCaptureFixture
) -> None:
    settings.NUM_PROXIES = proxies
    assert ask(anonymous, ID) == ID
    assert [record.fields["request_id"] for record in caplog.records] == [ID]  # type: ignore[attr-defined]


def test_the_id_of_a_client_is_replaced(anonymous: Client) -> None:
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
def test_an_id_that_is_no_lower_case_uuid_is_replaced(
    anonymous: Client, settings: Settings, text: str
) -> None:
    settings.NUM_PROXIES = 1
    assert ask(anonymous, text) not in (ID, text)
