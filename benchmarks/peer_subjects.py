"""The peers in peers/, each small and written like its own documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.asking import Ask
from benchmarks.installed import POSTGREST, install_postgrest, install_python_peers, venv_program
from benchmarks.owners import SECRET
from benchmarks.postgres import USER, Database
from benchmarks.subjects import PAGE, PEERS, VERSIONS, WORKERS, Subject


class FastAPI(Subject):
    name = "fastapi"
    title = "FastAPI + SQLModel"

    def install(self) -> None:
        install_python_peers()

    def command(self, port: int) -> list[str]:
        server = [venv_program("uvicorn"), "fastapi_sqlmodel.main:app", f"--port={port}"]
        return [
            *server,
            f"--workers={WORKERS}",
            "--loop=uvloop",
            "--http=httptools",
            "--no-access-log",
        ]

    def environment(self, port: int, database: Database) -> dict[str, str]:
        url = f"postgresql+asyncpg://{database.address}"
        return {"PYTHONPATH": str(PEERS), "DATABASE_URL": url, "SECRET": SECRET}

    def versions(self) -> list[str]:
        packages = ["fastapi", "sqlmodel", "sqlalchemy", "asyncpg", "python-jose", "uvicorn"]
        return [venv_program("python"), "-c", VERSIONS, *packages]


class PlainDRF(Subject):
    name = "drf"
    title = "plain DRF + simplejwt"

    def install(self) -> None:
        install_python_peers()

    def command(self, port: int) -> list[str]:
        server = [venv_program("granian"), "plain_drf.wsgi:application", "--interface=wsgi"]
        one_thread = [f"--workers={WORKERS}", "--blocking-threads=1"]
        return [*server, f"--port={port}", *one_thread, "--log-level=warning"]

    def environment(self, port: int, database: Database) -> dict[str, str]:
        return {
            "PYTHONPATH": str(PEERS),
            "DATABASE_PORT": str(database.port),
            "DATABASE_NAME": database.name,
            "DATABASE_USER": USER,
            "SECRET": SECRET,
        }

    def versions(self) -> list[str]:
        packages = ["django", "djangorestframework", "djangorestframework-simplejwt", "granian"]
        return [venv_program("python"), "-c", VERSIONS, *packages, "psycopg"]

    def newest(self) -> Ask:
        return Ask("GET", f"{self.todos}/")  # its pages have 20

    def one(self, todo_id: str) -> Ask:
        return Ask("GET", f"{self.todos}/{todo_id}/")

    def new(self, body: Mapping[str, Any]) -> Ask:
        return Ask("POST", f"{self.todos}/", body=body)

    def listed(self, data: Any) -> Any:
        return data["results"]


class PostgREST(Subject):
    name = "postgrest"
    title = "PostgREST"

    def install(self) -> None:
        install_postgrest()

    def create_table(self, database: Database) -> None:
        super().create_table(database)
        database.run_file(PEERS / "postgrest" / "roles.sql")

    def command(self, port: int) -> list[str]:
        return [str(POSTGREST)]

    def environment(self, port: int, database: Database) -> dict[str, str]:
        return {
            "PGRST_DB_URI": database.url.replace(f"//{USER}@", "//authenticator@"),
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_ANON_ROLE": "web_anon",
            "PGRST_JWT_SECRET": SECRET,
            "PGRST_SERVER_HOST": "127.0.0.1",
            "PGRST_SERVER_PORT": str(port),
        }

    def versions(self) -> list[str]:
        return [str(POSTGREST), "--version"]

    def newest(self) -> Ask:
        return Ask("GET", f"{self.todos}?order=created_at.desc&limit={PAGE}")

    def one(self, todo_id: str) -> Ask:
        one = {"Accept": "application/vnd.pgrst.object+json"}
        return Ask("GET", f"{self.todos}?id=eq.{todo_id}", one)

    def new(self, body: Mapping[str, Any]) -> Ask:
        return Ask("POST", self.todos, {"Prefer": "return=representation"}, body)

    def created(self, data: Any) -> Any:
        [todo] = data
        return todo


PEERS_BY_NAME = {peer.name: peer for peer in (FastAPI(), PlainDRF(), PostgREST())}
