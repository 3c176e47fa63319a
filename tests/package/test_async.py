"""Projects under ASGI, where an event loop must not wait for the issuer."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from tests.faults.stub_issuer import StubIssuer, slow, stub_issuer
from tests.package.environments import Environment
from tests.package.projects import URLS, Project, Site, Start
from tests.support.pages import texts
from tests.support.processes import wait_until

pytestmark = pytest.mark.package

README = "authn/README.md"
ASYNC_URLS = """
from django.http import JsonResponse

from authn.challenges import bearer_challenge
from authn.exceptions import KeysUnavailable, TokenRejected
from mysite.tokens import claims_of


async def claims_of_token(request):
    try:
        claims = await claims_of(request.scope)
    except TokenRejected as reason:
        headers = {"WWW-Authenticate": bearer_challenge()}
        return JsonResponse({"code": reason.code}, status=401, headers=headers)
    except KeysUnavailable as reason:
        headers = {"Retry-After": reason.retry_after_seconds}
        return JsonResponse({"code": reason.code}, status=503, headers=headers)
    return JsonResponse({"id": claims.subject})


async def free(request):
    return JsonResponse({})


urlpatterns += [path("async/", claims_of_token), path("free/", free)]
"""
PLAIN_ASGI = """
import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
django.setup()

from authn.exceptions import KeysUnavailable, TokenRejected
from mysite.tokens import claims_of


async def application(scope, receive, send):
    try:
        status, body = 200, (await claims_of(scope)).subject
    except TokenRejected as reason:
        status, body = 401, reason.code
    except KeysUnavailable as reason:
        status, body = 503, reason.code
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body.encode()})
"""
CHANNELS = """
import asyncio
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
django.setup()

from asgiref.testing import ApplicationCommunicator
from authn.exceptions import KeysUnavailable, TokenRejected
from channels.generic.websocket import AsyncWebsocketConsumer
from mysite.tokens import claims_of


class Notes(AsyncWebsocketConsumer):
    async def connect(self):
        try:
            claims = await claims_of(self.scope)
        except (TokenRejected, KeysUnavailable):
            await self.close()
        else:
            await self.accept()
            await self.send(claims.subject)


async def converse(credentials):
    headers = [(b"authorization", credentials.encode())]
    scope = {"type": "websocket", "path": "/", "headers": headers}
    client = ApplicationCommunicator(Notes.as_asgi(), scope)
    await client.send_input({"type": "websocket.connect"})
    answer = await client.receive_output(timeout=10)
    if answer["type"] == "websocket.accept":
        answer = await client.receive_output(timeout=10)
    print(answer.get("text", answer["type"]))


asyncio.run(converse(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def with_uvicorn(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment.extended(tmp_path_factory.mktemp("asgi") / "venv", "uvicorn", "channels")


@pytest.fixture
def project(start: Start, with_uvicorn: Environment) -> Project:
    project = start(with_uvicorn)
    project.write("mysite/urls.py", URLS + ASYNC_URLS)
    project.write("mysite/tokens.py", texts(README, "python", "Without Django REST framework")[1])
    return project


def served(
    project: Project, application: str = "mysite.asgi:application"
) -> AbstractContextManager[Site]:
    command = ("-m", "uvicorn", application, "--port={port}", "--lifespan=off")
    return project.serve(*command)


def test_drf_and_async_views_know_the_user(project: Project, live_issuer: StubIssuer) -> None:
    project.configure(BETTER_AUTH_URL=live_issuer.url)
    token = live_issuer.issuer.mint(sub="ada")
    with served(project) as site:
        assert site.get("/async/", token).data == {"id": "ada"}
        assert site.get("/me/", token).data["id"] == "ada"
        refused = site.get("/async/", live_issuer.issuer.mint(exp=1))
        assert refused.data == {"code": "token_expired"}
        assert refused.headers["www-authenticate"] == 'Bearer realm="api"'


def test_a_hanging_issuer_delays_no_other_request(project: Project) -> None:
    with stub_issuer() as issuer, ThreadPoolExecutor(10) as pool:
        issuer.behave = slow
        project.configure(BETTER_AUTH_URL=issuer.url)
        token = issuer.issuer.mint()
        with served(project) as site:
            waiting = [pool.submit(site.get, "/async/", token) for _ in range(10)]
            wait_until(lambda: issuer.fetches)
            started = time.monotonic()
            assert site.get("/free/").status == 200
            assert time.monotonic() - started < 1
            assert not waiting[0].done()
            assert {each.result().status for each in waiting} == {503}
            assert all(int(each.result().headers["retry-after"]) <= 10 for each in waiting)


def test_an_application_of_plain_asgi_knows_the_user(
    project: Project, live_issuer: StubIssuer
) -> None:
    project.configure(BETTER_AUTH_URL=live_issuer.url)
    project.write("plain.py", PLAIN_ASGI)
    with served(project, "plain:application") as site:
        assert site.get("/", live_issuer.issuer.mint(sub="ada")).body == b"ada"
        assert site.get("/", live_issuer.issuer.mint(exp=1)).body == b"token_expired"
        assert site.get("/").body == b"token_malformed"


def test_a_consumer_of_channels_knows_the_user(project: Project, live_issuer: StubIssuer) -> None:
    project.configure(BETTER_AUTH_URL=live_issuer.url)
    mint = live_issuer.issuer.mint
    assert project.run("-c", CHANNELS, f"bearer {mint(sub='ada')}") == "ada\n"
    for credentials in (f"Bearer {mint(exp=1)}", f"Basic {mint()}", ""):
        assert project.run("-c", CHANNELS, credentials) == "websocket.close\n"
