"""django-ninja and drf-spectacular beside the package."""

from __future__ import annotations

import json

import pytest

from authn.testing import Clock, Issuer
from tests.faults.stub_issuer import StubIssuer
from tests.package.environments import Environment
from tests.package.projects import Project, Start
from tests.support.pages import texts
from tests.support.processes import free_port

pytestmark = pytest.mark.package

README, WITHOUT_DRF = "authn/README.md", "Without Django REST framework"

NINJA = """
from django.urls import path
from ninja import NinjaAPI

from mysite.auth import BetterAuth

api = NinjaAPI(auth=BetterAuth())


@api.get("/me")
def me(request):
    return {"id": request.auth.subject}


urlpatterns = [path("api/", api.urls)]
"""


@pytest.fixture(scope="module")
def neighbours(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    directory = tmp_path_factory.mktemp("neighbours") / "venv"
    return environment.extended(directory, "django-ninja", "drf-spectacular")


def test_django_ninja_takes_tokens(
    start: Start, neighbours: Environment, live_issuer: StubIssuer
) -> None:
    project = with_ninja(start, neighbours, live_issuer.url)
    with project.serve() as site:
        assert site.get("/api/me", live_issuer.issuer.mint(sub="ada")).data == {"id": "ada"}
        assert site.get("/api/me", live_issuer.issuer.mint(exp=1)).status == 401
        assert site.get("/api/me").status == 401


def test_django_ninja_answers_503_without_keys(
    start: Start, neighbours: Environment, now: Clock
) -> None:
    issuer = Issuer(url=f"http://127.0.0.1:{free_port()}", clock=now)
    with with_ninja(start, neighbours, issuer.url).serve() as site:
        assert site.get("/api/me", issuer.mint()).status == 503


def with_ninja(start: Start, neighbours: Environment, issuer_url: str) -> Project:
    """Start a project whose API has the authenticator of the page."""
    project = start(neighbours)
    project.configure(BETTER_AUTH_URL=issuer_url)
    project.write("mysite/auth.py", texts(README, "python", WITHOUT_DRF)[0])
    project.write("mysite/urls.py", NINJA)
    return project


def test_the_document_of_drf_spectacular_has_the_scheme(
    start: Start, neighbours: Environment
) -> None:
    project = start(neighbours)
    project.configure("authn", "drf_spectacular", BETTER_AUTH_URL="https://app.example.com")
    with (project.directory / "mysite" / "settings.py").open("a") as settings:
        settings.write(
            'REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"] = "drf_spectacular.openapi.AutoSchema"\n'
        )
    document = json.loads(project.run("manage.py", "spectacular", "--format=openapi-json"))
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert {name: []} in document["paths"]["/me/"]["get"]["security"]
