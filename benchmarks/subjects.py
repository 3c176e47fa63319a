"""The servers to measure, and the form of their requests and answers."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from benchmarks.asking import Ask
from benchmarks.installed import BENCHMARKS, plain_environment, run
from benchmarks.owners import SECRET
from benchmarks.postgres import Database

PEERS = BENCHMARKS / "peers"
WORKERS = 2
PAGE = 20
VERSIONS = """
import platform, sys
from importlib.metadata import version
print(f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in sys.argv[1:]), sep=", ")
"""


class Subject(ABC):
    name: str
    title: str
    table: ClassVar[str] = "todos"
    todos: ClassVar[str] = "/todos"

    @abstractmethod
    def install(self) -> None:
        """Install what the server needs, unless that is done."""

    def create_table(self, database: Database) -> None:
        database.run_file(PEERS / "schema.sql")

    @abstractmethod
    def command(self, port: int) -> list[str]: ...

    @abstractmethod
    def environment(self, port: int, database: Database) -> dict[str, str]: ...

    @abstractmethod
    def versions(self) -> list[str]:
        """Name the command that prints the versions."""

    def newest(self) -> Ask:
        return Ask("GET", f"{self.todos}?limit={PAGE}")

    def one(self, todo_id: str) -> Ask:
        return Ask("GET", f"{self.todos}/{todo_id}")

    def new(self, body: Mapping[str, Any]) -> Ask:
        return Ask("POST", self.todos, body=body)

    def listed(self, data: Any) -> Any:
        """Take the todos from the answer to a list."""
        return data

    def created(self, data: Any) -> Any:
        """Take the todo from the answer to a create."""
        return data


class Ours(Subject):
    name = "ours"
    title = "this project"
    table = "todos_todo"
    todos = "/api/todos"

    def __init__(self, **settings: str) -> None:
        self._settings = settings

    def install(self) -> None:
        """Need nothing: the benchmark runs in the same environment."""

    def create_table(self, database: Database) -> None:
        environment = {**plain_environment(), **self.environment(0, database)}
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        run(*command, environment=environment)

    def command(self, port: int) -> list[str]:
        return [sys.executable, "-m", "server"]

    def environment(self, port: int, database: Database) -> dict[str, str]:
        throttles = ("THROTTLE_USER", "THROTTLE_ANON", "THROTTLE_REFUSED")
        return {
            **dict.fromkeys(throttles, "999999999/h"),
            "ENV_FILE": "",  # no .env of a developer
            "DJANGO_SECRET_KEY": SECRET,
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "BETTER_AUTH_SECRET": SECRET,
            "DATABASE_URL": f"postgres://{database.address}",
            "WEB_CONCURRENCY": str(WORKERS),
            "PORT": str(port),
            **self._settings,
        }

    def versions(self) -> list[str]:
        packages = ["django", "djangorestframework", "granian", "psycopg", "pyjwt"]
        return [sys.executable, "-c", VERSIONS, *packages]

    def newest(self) -> Ask:
        return Ask("GET", f"{self.todos}/?limit={PAGE}")

    def one(self, todo_id: str) -> Ask:
        return Ask("GET", f"{self.todos}/{todo_id}/")

    def new(self, body: Mapping[str, Any]) -> Ask:
        return Ask("POST", f"{self.todos}/", body=body)

    def listed(self, data: Any) -> Any:
        return data["results"]
