"""Requests to a new project with one setting of Better Auth, from a client with real tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from authn.testing import SECRET, Clock, Issuer, SecretIssuer
from tests.faults.stub_issuer import StubIssuer
from tests.package.environments import Environment
from tests.package.projects import Project, Site
from tests.support.processes import free_port

pytestmark = pytest.mark.package


@pytest.fixture(
    scope="module", params=[(), ("authn",)], ids=["without INSTALLED_APPS", "in INSTALLED_APPS"]
)
def site(
    request: pytest.FixtureRequest,
    environment: Environment,
    tmp_path_factory: pytest.TempPathFactory,
    live_issuer: StubIssuer,
) -> Iterator[Site]:
    project = Project(environment, tmp_path_factory.mktemp("project"))
    project.configure(*request.param, BETTER_AUTH_URL=live_issuer.url)
    with project.serve() as site:
        yield site


def test_a_request_without_a_token_is_challenged(site: Site) -> None:
    answer = site.get()
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


def test_the_subject_of_a_good_token_is_the_user(site: Site, live_issuer: StubIssuer) -> None:
    answer = site.get(token=live_issuer.issuer.mint(sub="ada"))
    assert (answer.status, answer.data) == (200, {"id": "ada", "user": "TokenUser"})


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "token_expired"),
        ({"aud": "https://other.example"}, "audience_mismatch"),
        ({"header": {"typ": "logout+jwt"}}, "type_unsupported"),
        ({"header": {"typ": "at+jwt"}}, "type_unsupported"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_challenge_says_why_a_token_is_refused(
    site: Site, live_issuer: StubIssuer, claims: dict[str, Any], code: str
) -> None:
    answer = site.get(token=live_issuer.issuer.mint(**claims))
    assert answer.status == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="api", error="invalid_token", error_description="')
    assert f'error_code="{code}"' in challenge


def test_an_unreachable_key_set_is_503_with_retry_after(project: Project, now: Clock) -> None:
    issuer = Issuer(url=f"http://127.0.0.1:{free_port()}", clock=now)
    project.configure(BETTER_AUTH_URL=issuer.url)
    with project.serve() as site:
        answer = site.get(token=issuer.mint())
    assert answer.status == 503
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert "www-authenticate" not in answer.headers


def test_the_secret_alone_is_enough(project: Project, now: Clock) -> None:
    project.configure(BETTER_AUTH_SECRET=SECRET)
    with project.serve() as site:
        answer = site.get(token=SecretIssuer(SECRET, clock=now).mint(sub="ada"))
    assert (answer.status, answer.data["id"]) == (200, "ada")


def test_a_project_without_any_setting_answers_500(project: Project, now: Clock) -> None:
    """Neither let in nor refused: the mistake is the operator's."""
    with project.serve() as site:
        answer = site.get(token=SecretIssuer(SECRET, clock=now).mint())
        assert answer.status == 500
        assert "NotConfigured" in site.log()
        assert "BETTER_AUTH_URL" in site.log()
