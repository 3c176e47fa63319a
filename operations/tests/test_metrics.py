"""Only Prometheus reads the metrics."""

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
    """Prometheus, at a process that has counted nothing."""
    settings.METRICS_TOKEN = TOKEN
    module.get_metrics.cache_clear()
    return Client(headers={"Authorization": f"Bearer {TOKEN}"})


def scrape(scraper: Client) -> dict[str, float]:
    """Return every sample by name and labels, without the buckets of the histogram."""
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
def test_requests_are_counted_by_outcome(scraper: Client, mint: Mint, bearer: Bearer) -> None:
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


def test_throttled_requests_are_counted(
    scraper: Client, settings: Settings, mint: Mint, bearer: Bearer
) -> None:
    settings.THROTTLE_USER = (1, 3600)
    alice = bearer(mint(sub="alice"))
    for _ in range(3):
        alice.get("/api/me/")
    assert scrape(scraper)["todos_throttled_requests_total['user']"] == 2


def test_the_time_of_the_newest_key_set_is_shown(
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


def test_no_text_of_a_client_is_a_label(scraper: Client, mint: Mint, bearer: Bearer) -> None:
    alice = bearer(mint(sub="alice-secret", email="secret@example.com"))
    alice.generic("SECRET", "/api/me/")
    alice.get("/secret/", {"secret": "secret"}, headers={"Host": "secret.example.com"})
    text = scraper.get("/metrics").text
    assert "todos_http_requests_total" in text
    assert "secret" not in text.lower()


@pytest.mark.parametrize(
    "authorization", ["", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"]
)
def test_metrics_need_their_token(scraper: Client, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = Client(headers=headers).get("/metrics")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="todos"'
    assert response.json()["code"] == "not_authenticated"
    assert b"todos_http" not in response.content


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE", "FROBNICATE"])
@pytest.mark.parametrize("query", ["", "?x=1"])
def test_no_method_tells_strangers_of_metrics(
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
def test_metrics_have_one_media_type_for_every_accept(scraper: Client, accept: str) -> None:
    response = scraper.get("/metrics", headers={"Accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_the_token_of_a_user_opens_no_metrics(scraper: Client, alice: Client) -> None:
    assert alice.get("/metrics").status_code == 401


def test_the_token_of_metrics_is_the_token_of_no_user(scraper: Client) -> None:
    assert scraper.get("/api/me/").status_code == 401


def test_guesses_of_the_token_are_throttled(scraper: Client, settings: Settings) -> None:
    settings.THROTTLE_REFUSED = (2, 3600)
    guesser = Client(headers={"Authorization": "Bearer guess"})
    assert [guesser.get("/metrics").status_code for _ in range(3)] == [401, 401, 429]


def test_a_scrape_is_never_throttled_or_counted(scraper: Client, settings: Settings) -> None:
    settings.THROTTLE_ANON = settings.THROTTLE_REFUSED = (1, 3600)
    Client(headers={"Authorization": "Bearer guess"}).get("/metrics")
    for _ in range(3):
        assert scraper.get("/metrics").status_code == 200
    assert Client().get("/api/schema/").status_code == 200
    assert Client().get("/api/schema/").status_code == 429
    assert scraper.get("/metrics").status_code == 200


def test_requests_are_answered_without_a_folder_to_count_in(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setenv(module.FOLDER, str(tmp_path / "removed"))
    assert Client().get("/healthz").status_code == 200
    assert "Nothing is counted: " in caplog.text


def test_files_reserve_their_space_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(module.FOLDER, str(tmp_path))
    module.reserve_files()
    files = [*tmp_path.iterdir()]
    assert {file.name.rpartition("_")[0] for file in files} == {"counter", "gauge_max", "histogram"}
    for file in files:
        assert file.stat().st_blocks * 512 >= file.stat().st_size == module.FILE_OCTETS


# In a process of its own: prometheus_client chooses files when it is imported.
COUNT_IN_A_REMOVED_FOLDER = """
import django, os, shutil
django.setup()
from django.http import HttpResponse
from django.test import RequestFactory
from operations.metrics import FOLDER, count_answers
answer = count_answers(lambda request: HttpResponse(status=201))
shutil.rmtree(os.environ[FOLDER])
print(answer(RequestFactory().get("/")).status_code)
"""


@pytest.mark.live
def test_requests_are_answered_after_the_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "BETTER_AUTH_SECRET": SECRET,
        "METRICS_TOKEN": TOKEN,
        module.FOLDER: str(tmp_path / "metrics"),
    }
    command = [sys.executable, "-c", COUNT_IN_A_REMOVED_FOLDER]
    assert run(command, PROJECT, environment) == "201\n"


def test_a_scrape_may_name_any_host(scraper: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["todos.example.com"]
    assert scraper.get("/metrics", headers={"Host": "10.0.0.7:8000"}).status_code == 200


def test_without_metrics_token_metrics_are_404(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        assert Client(headers=headers).get("/metrics").status_code == 404
