"""The cast of the tests: Alice and Bob, with real tokens, in front of the real API."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from authn.testing import Bearer, Mint
from tests.support import documented

pytest_plugins = ["authn.testing.fixtures", "tests.support.meanwhile", "tests.support.oauth"]

# Python searches the heap for cycles after every 700 new objects, which takes 13 % of the time.
gc.set_threshold(100_000, 50, 100)

# .ci/run repeats the tests that hypothesis feeds with the profile "thorough".
hypothesis_settings.register_profile(
    "quick",
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.register_profile(
    "thorough", hypothesis_settings.get_profile("quick"), max_examples=1500
)
hypothesis_settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _every_answer_is_documented() -> Iterator[None]:
    """Compare every response of the test client to ``openapi.json``."""
    ask = Client.request

    def ask_and_check(client: Client, **environ: Any) -> Any:
        response: Any = ask(client, **environ)
        documented.check(environ["REQUEST_METHOD"], environ["PATH_INFO"], response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", ask_and_check)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Keep SQLite in a file, because connections to memory do not wait for one another."""
    database = project_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        database.setdefault("TEST", {})["NAME"] = str(file)


@pytest.fixture
def alice(mint: Mint, bearer: Bearer) -> Client:
    return bearer(mint(sub="alice", email="alice@example.com", name="Alice"))


@pytest.fixture
def bob(mint: Mint, bearer: Bearer) -> Client:
    return bearer(mint(sub="bob"))


@pytest.fixture
def anonymous() -> Client:
    return Client()


def pytest_sessionstart() -> None:
    """End in one sentence if the factory of a model is wrong, instead of hundreds of failures."""
    from tests.support.rows import mistake  # needs Django

    if reason := mistake():
        raise pytest.UsageError(reason)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Refuse parameters that are named or ordered by a set.

    Each process orders a set differently, and pytest-xdist needs the same names in all of them.
    """
    for marker in metafunc.definition.iter_markers("parametrize"):
        values = marker.args[1] if len(marker.args) > 1 else marker.kwargs["argvalues"]
        named_by_value = callable(marker.kwargs.get("ids"))
        if isinstance(values, set | frozenset) or (named_by_value and _holds_set(list(values))):
            raise pytest.UsageError(
                f"{metafunc.definition.nodeid} takes its parameters from a set: use a list."
            )


def _holds_set(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    return isinstance(value, set | frozenset) or (
        isinstance(value, list | tuple) and any(map(_holds_set, value))
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail in CI if a test was skipped."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return  # a worker of pytest-xdist
    if os.environ.get("CI") and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped, which counts as a failure in CI.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
