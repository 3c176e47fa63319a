"""Tokens beside Django's own sessions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stub_issuer import StubIssuer
from tests.package.environments import Environment
from tests.package.projects import Project, Site

pytestmark = pytest.mark.package

URLS = """
from django.urls import path
from rest_framework.authentication import SessionAuthentication
from rest_framework.response import Response
from rest_framework.views import APIView

from authn import JWTAuthentication


class Me(APIView):
    def get(self, request):
        return Response({"id": request.user.pk})


urlpatterns = [
    path("token-first/", Me.as_view(
        authentication_classes=[JWTAuthentication, SessionAuthentication])),
    path("session-first/", Me.as_view(
        authentication_classes=[SessionAuthentication, JWTAuthentication])),
]
"""
LOG_IN = """
from django.contrib.auth import get_user_model
from django.test import Client

client = Client()
client.force_login(get_user_model().objects.create_user("django-user"))
print(client.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def project(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory, live_issuer: StubIssuer
) -> Project:
    project = Project(environment, tmp_path_factory.mktemp("project"))
    project.configure(BETTER_AUTH_URL=live_issuer.url)
    project.write("mysite/urls.py", URLS)
    project.run("manage.py", "migrate", "--verbosity=0")
    return project


@pytest.fixture(scope="module")
def site(project: Project) -> Iterator[Site]:
    with project.serve() as site:
        yield site


@pytest.fixture(scope="module")
def cookie(project: Project) -> str:
    """The session of a user in Django's own table."""
    return f"sessionid={project.run('manage.py', 'shell', '-c', LOG_IN).split()[-1]}"


@pytest.mark.parametrize(
    ("path", "without_credentials"), [("/token-first/", 401), ("/session-first/", 403)]
)
def test_both_kinds_of_user_get_in(
    site: Site, cookie: str, live_issuer: StubIssuer, path: str, without_credentials: int
) -> None:
    token = live_issuer.issuer.mint(sub="ada")
    assert site.get(path, token).data == {"id": "ada"}
    assert site.get(path, Cookie=cookie).data == {"id": 1}
    assert site.get(path).status == without_credentials  # DRF: the first class challenges


@pytest.mark.parametrize(("path", "user"), [("/token-first/", "ada"), ("/session-first/", 1)])
def test_the_first_class_decides_where_both_are_sent(
    site: Site, cookie: str, live_issuer: StubIssuer, path: str, user: str | int
) -> None:
    answer = site.get(path, live_issuer.issuer.mint(sub="ada"), Cookie=cookie)
    assert answer.data == {"id": user}


def test_a_refused_token_is_not_saved_by_a_session(
    site: Site, cookie: str, live_issuer: StubIssuer
) -> None:
    expired = live_issuer.issuer.mint(exp=1)
    assert site.get("/token-first/", expired, Cookie=cookie).status == 401
