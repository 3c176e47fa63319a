"""What Prometheus reads, and who else does not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from authn.testing import SECRET, Bearer, Clock, Issuer, Mint
from operations import metrics as module
from tests.support.processes import PROJECT, run

TOKEN = "a-token-of-the-operators-own-0123456789"


@pytest.fixture
def scraper(settings: Settings) -> Client:
    """Prometheus, of a process that has counted nothing yet."""
    settings.METRICS_TOKEN = TOKEN
    module.get_metrics.cache_clear()
    return Client(headers={"Authorization": f"Bearer {TOKEN}"})


def scrape(scraper: Client) -> dict[str, float]:
    """Every sample by its name and labels, without the buckets of the histogram."""
    response = scraper.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


@pytest.mark.django_db
def test_requests_are_counted_by_what_came_of_them(
    scraper: Client, mint: Mint, bearer: Bearer
) -> None:
    alice = bearer(mint(sub="alice"))
    alice.get("/api/todos/?q=secret")
    alice.get("/api/todos/?limit=2")
    alice.get("/api/todos/0/")
    alice.get("/nowhere/secret")
    samples = scrape(scraper)
    assert samples["todos_http_requests_total['', '/api/todos/', '200', 'GET']"] == 2
    assert samples["todos_http_requests_total['/api/todos/{id}/', '404', 'GET', 'not_found']"] == 1
    assert samples["todos_http_requests_total['', '404', 'GET', 'not_found']"] == 1
    assert samples["todos_http_request_duration_seconds_count['/api/todos/', 'GET']"] == 2
    assert samples["todos_http_request_duration_seconds_sum['/api/todos/', 'GET']"] > 0


def test_refused_tokens_are_counted_by_reason(scraper: Client, mint: Mint, bearer: Bearer) -> None:
    bearer(mint(exp=1)).get("/api/me/")
    bearer("nonsense").get("/api/me/")
    samples = scrape(scraper)
    for code in ("token_expired", "token_malformed"):
        assert samples[f"todos_http_requests_total['/api/me/', '401', 'GET', '{code}']"] == 1


def test_what_is_beyond_an_allowance_is_counted(
    scraper: Client, settings: Settings, mint: Mint, bearer: Bearer
) -> None:
    settings.THROTTLE_USER = (1, 3600)
    alice = bearer(mint(sub="alice"))
    for _ in range(3):
        alice.get("/api/me/")
    assert scrape(scraper)["todos_throttled_requests_total['user']"] == 2


def test_it_says_when_the_keys_were_fetched(
    scraper: Client, issuer: Issuer, clock: Clock, bearer: Bearer
) -> None:
    name = "todos_key_set_fetched_timestamp_seconds[]"
    scrape(scraper)
    assert scrape(scraper)[name] == 0  # no token has been verified yet
    alice = bearer(issuer.mint(sub="alice"))
    alice.get("/api/me/")
    clock.advance(300)
    alice.get("/api/me/")
    assert scrape(scraper)[name] == pytest.approx(time.time() - 300, abs=10)


def test_nothing_that_a_client_chooses_is_a_label(
    scraper: Client, mint: Mint, bearer: Bearer
) -> None:
    alice = bearer(mint(sub="alice-secret", email="secret@example.com"))
    alice.generic("SECRET", "/api/me/")
    alice.get("/secret/", {"secret": "secret"}, headers={"Host": "secret.example.com"})
    text = scraper.get("/metrics").text
    assert "todos_http_requests_total" in text
    assert "secret" not in text.lower()


@pytest.mark.parametrize(
    "authorization", ["", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"]
)
def test_nobody_else_reads_it(scraper: Client, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = Client(headers=headers).get("/metrics")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="todos"'
    assert response.json()["code"] == "not_authenticated"
    assert b"todos_http" not in response.content


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE", "FROBNICATE"])
@pytest.mark.parametrize("query", ["", "?x=1"])
def test_nobody_else_learns_anything(
    scraper: Client, settings: Settings, method: str, query: str
) -> None:
    anybody = Client()
    assert anybody.generic(method, f"/metrics{query}").status_code == 401
    settings.METRICS_TOKEN = ""
    for client in (anybody, scraper):
        assert client.generic(method, f"/metrics{query}").status_code == 404


@pytest.mark.parametrize(
    "accept", ["text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0", "*/*"]
)
def test_it_is_of_one_type_whatever_is_asked_for(scraper: Client, accept: str) -> None:
    response = scraper.get("/metrics", headers={"Accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_a_user_does_not_read_it(scraper: Client, alice: Client) -> None:
    assert alice.get("/metrics").status_code == 401


def test_the_token_of_metrics_is_no_users_token(scraper: Client) -> None:
    assert scraper.get("/api/me/").status_code == 401


def test_guesses_are_refused_tokens(scraper: Client, settings: Settings) -> None:
    settings.THROTTLE_REFUSED = (2, 3600)
    guesser = Client(headers={"Authorization": "Bearer guess"})
    assert [guesser.get("/metrics").status_code for _ in range(3)] == [401, 401, 429]


def test_a_scrape_uses_up_nothing_and_is_never_refused(scraper: Client, settings: Settings) -> None:
    settings.THROTTLE_ANON = settings.THROTTLE_REFUSED = (1, 3600)
    Client(headers={"Authorization": "Bearer guess"}).get("/metrics")
    for _ in range(3):
        assert scraper.get("/metrics").status_code == 200
    assert Client().get("/api/schema/").status_code == 200
    assert Client().get("/api/schema/").status_code == 429
    assert scraper.get("/metrics").status_code == 200


def test_where_there_is_no_room_to_count_requests_go_on(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setenv(module.FOLDER, str(tmp_path / "removed"))
    assert Client().get("/healthz").status_code == 200
    assert "Nothing is counted: " in caplog.text


def test_a_file_is_as_large_as_it_will_ever_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(module.FOLDER, str(tmp_path))
    module.reserve_files()
    files = [*tmp_path.iterdir()]
    assert {file.name.rpartition("_")[0] for file in files} == {"counter", "gauge_max", "histogram"}
    for file in files:
        assert file.stat().st_blocks * 512 >= file.stat().st_size == module.FILE_OCTETS


# A process of its own: whether there are files is settled when the library is imported.
IN_A_FOLDER_THAT_IS_REMOVED = """
import django, os, shutil
django.setup()
from django.http import HttpResponse
from django.test import RequestFactory
from operations.metrics import FOLDER, count_answers
answer = count_answers(lambda request: HttpResponse(status=201))
shutil.rmtree(os.environ[FOLDER])
print(answer(RequestFactory().get("/")).status_code)
"""


def test_where_the_files_are_removed_requests_go_on(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "BETTER_AUTH_SECRET": SECRET,
        "METRICS_TOKEN": TOKEN,
        module.FOLDER: str(tmp_path / "metrics"),
    }
    command = [sys.executable, "-c", IN_A_FOLDER_THAT_IS_REMOVED]
    assert run(command, PROJECT, environment) == "201\n"


def test_it_is_read_by_the_address_of_a_process(scraper: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["todos.example.com"]
    assert scraper.get("/metrics", headers={"Host": "10.0.0.7:8000"}).status_code == 200


def test_without_a_token_in_the_settings_there_is_nothing(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        assert Client(headers=headers).get("/metrics").status_code == 404
