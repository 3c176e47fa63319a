"""Projects as ``django-admin startproject`` makes them, and their servers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.package.environments import Environment
from tests.support.processes import Answer, Server, free_port, result_of, run

DRF = {
    "REST_FRAMEWORK": {
        "DEFAULT_AUTHENTICATION_CLASSES": ["authn.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    }
}
URLS = """
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view()
def me(request):
    return Response({"id": request.user.pk, "user": type(request.user).__name__})


urlpatterns = [path("me/", me)]
"""


class Site(Server):
    """A running project."""

    def is_ready(self) -> bool:
        try:
            self.get("/")
        except (OSError, HTTPException):
            return False
        return True

    def get(self, path: str = "/me/", token: str = "", **headers: str) -> Answer:
        return self.send("GET", path, token, None, **headers)


class Project:
    """A project whose root URLs have ``/me/``, behind ``authn.JWTAuthentication``."""

    def __init__(self, environment: Environment, directory: Path) -> None:
        self.environment = environment
        self.directory = directory
        self.run("-m", "django", "startproject", "mysite", ".")
        self.write("mysite/urls.py", URLS)
        self.configure(**DRF)

    def run(self, *arguments: str) -> str:
        return run([self.environment.python, *arguments], self.directory, {})

    def write(self, path: str, text: str) -> None:
        (self.directory / path).write_text(text)

    def configure(self, *apps: str, **settings: Any) -> None:
        """Append ``settings`` to the project's own, and ``apps`` to ``INSTALLED_APPS``."""
        lines = [f"INSTALLED_APPS += {list(apps)!r}\n"] if apps else []
        lines += [f"{name} = {value!r}\n" for name, value in settings.items()]
        with (self.directory / "mysite" / "settings.py").open("a") as file:
            file.writelines(lines)

    def manage(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [self.environment.python, "manage.py", *arguments]
        return result_of(command, self.directory, stdin=stdin)

    @contextmanager
    def serve(self, *command: str) -> Iterator[Site]:
        """Run the development server, or a module such as uvicorn with ``{port}`` filled in."""
        port = free_port()
        words = command or ("manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
        site = Site(
            [self.environment.python, *(word.format(port=port) for word in words)],
            port=port,
            directory=self.directory,
            log=self.directory / "server.log",
        )
        with site:
            yield site


Start = Callable[..., Project]
