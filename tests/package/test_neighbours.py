"""django-ninja and drf-spectacular beside the package."""

from __future__ import annotations

import json

import pytest

from tests.faults.stub_issuer import StubIssuer
from tests.package.environments import Environment
from tests.package.projects import Start

pytestmark = pytest.mark.package

NINJA = """
import authn
from authn.exceptions import KeysUnavailable, TokenRejected
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.security import HttpBearer


class BetterAuth(HttpBearer):
    def authenticate(self, request, token):
        try:
            return authn.verify(token)
        except TokenRejected:
            return None
        except KeysUnavailable as reason:
            raise HttpError(503, str(reason))


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
    project = start(neighbours)
    project.configure(BETTER_AUTH_URL=live_issuer.url)
    project.write("mysite/urls.py", NINJA)
    with project.serve() as site:
        assert site.get("/api/me", live_issuer.issuer.mint(sub="ada")).data == {"id": "ada"}
        assert site.get("/api/me", live_issuer.issuer.mint(exp=1)).status == 401
        assert site.get("/api/me").status == 401


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
