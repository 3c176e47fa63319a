"""The commands of the pages restore backups and change secrets.

The shell blocks run unchanged in a folder that stands in for a machine. ``/etc/todos.env`` is
there, and ``systemctl`` stops and starts real processes of this project. Needs bash and
PostgreSQL; run with ``pytest -m live``.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from authn.testing import Clock, Issuer, SecretIssuer
from tests.faults.stub_issuer import stub_issuer
from tests.support.pages import texts
from tests.support.postgresql import Cluster, postgresql
from tests.support.processes import PROJECT, Api, free_port, run
from tests.support.version_0_1 import ALICE, ROWS, TODOS, insert

pytestmark = pytest.mark.live

ENV_FILE = "/etc/todos.env"
SYSTEMCTL = re.compile(r"^systemctl (start|stop|restart) (.+)\n", re.MULTILINE)
PRELUDE = f"set -euo pipefail\nset -a; . {ENV_FILE}; set +a\n"
# Parameters like those of a provider, for a server without TLS.
PARAMETERS = "sslmode=prefer&channel_binding=prefer"
UNITS = ("todos@8000", "todos@8001")
WITHDRAWN, UNKNOWN = "401 signature_invalid", "401 key_unknown"
SECRET_NAMES = re.compile("PASSWORD|SECRET|KEY")
COMMANDS = ("cp", "mv", "pg_dump", "pg_restore", "psql", "sed")
# Stands in for a command, and writes its arguments where all can read them, as the kernel does.
WATCHED = """#!/bin/sh
printf '%s\\n' "$*" >>{seen}
PATH=$REAL_PATH
exec {command} "$@"
"""


OPERATIONS, POSTGRESQL, DEPLOYMENT = (
    f"docs/{name}.md" for name in ("operations", "postgresql", "deployment")
)
(EXAMPLE,) = texts(DEPLOYMENT, "env")
(FIRST_START,) = texts(POSTGRESQL, "sh", "Roles and database")
(TIME_LIMITS,) = texts(POSTGRESQL, "sql", "PgBouncer")
(INDEX,) = texts(POSTGRESQL, "sh", "Search among many todos")
(MIGRATE,) = texts(OPERATIONS, "sh", "Upgrade")
(DUMP, RESTORE, SWITCH) = texts(OPERATIONS, "sh", "PostgreSQL")
(COPY, PUT_BACK) = texts(OPERATIONS, "sh", "SQLite")
(RESTART,) = texts(OPERATIONS, "sh", "Better Auth's keys")
(NEW_AUTH_SECRET, WITHOUT_OLD_SECRET) = texts(OPERATIONS, "sh", "BETTER_AUTH_SECRET")
(NEW_DJANGO_KEY,) = texts(OPERATIONS, "sh", "DJANGO_SECRET_KEY")
(DAILY,) = texts(OPERATIONS, "cron")
(TAKE_OVER, LOCK_OUT) = texts(OPERATIONS, "sh", "The password of the database")


class Machine:
    """A folder with the project, its environment file and a server for each unit."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._variables: dict[str, str] = {}
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "manage.py").symlink_to(PROJECT / "manage.py")
        self.env_file.write_text(
            "".join(f"{name}='{value}'\n" for name, value in environment.items())
        )
        self.arguments = folder / "arguments"
        self.arguments.touch()
        (folder / "watched").mkdir()
        for command in COMMANDS:
            file = folder / "watched" / command
            file.write_text(WATCHED.format(seen=self.arguments, command=command))
            file.chmod(0o700)
        self.units = {unit: self._server(unit) for unit in UNITS}

    @property
    def env_file(self) -> Path:
        return self.folder / "todos.env"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the file has now."""
        lines = shlex.split(self.env_file.read_text())
        return dict(line.split("=", 1) for line in lines)

    @property
    def apis(self) -> list[Api]:
        return [*self.units.values()]

    def _server(self, unit: str) -> Api:
        return Api(
            [sys.executable, "-m", "server"],
            port=free_port(),
            directory=PROJECT,
            environment={},
            log=self.folder / f"{unit}.log",
        )

    def shell(self, block: str, **variables: str) -> str:
        """Run the lines and return their output. ``variables`` hold for later blocks too."""
        self._variables |= variables
        printed, before = "", self.environment
        *steps, last = SYSTEMCTL.split(block)
        for script, verb, units in zip(*[iter(steps)] * 3, strict=True):
            printed += self._bash(script)
            for unit in units.split():
                self.systemctl(verb, unit)
        printed += self._bash(last)
        self.assert_hidden({**self._variables, **before}, self.environment)
        return printed

    def _bash(self, script: str) -> str:
        text = (PRELUDE + script).replace(ENV_FILE, str(self.env_file))
        variables = {"PATH": os.environ["PATH"], **self._variables}
        variables["REAL_PATH"] = variables["PATH"]
        variables["PATH"] = f"{self.folder}/watched:{variables['PATH']}"
        return run(["bash", "-c", text], self.folder, variables)

    def assert_hidden(self, *environments: dict[str, str]) -> None:
        """Assert that no argument of a command has a secret."""
        seen = self.arguments.read_text()
        for environment in environments:
            for name, value in environment.items():
                if value and SECRET_NAMES.search(name):
                    assert value not in seen, f"{name} is an argument: {seen}"

    def systemctl(self, verb: str, unit: str) -> None:
        server = self.units[unit]
        if verb in {"stop", "restart"}:
            server.stop()
            assert "Traceback" not in server.log()
        if verb in {"start", "restart"}:
            server.environment = {"PORT": str(server.port), **self.environment}
            server.start()

    def start(self) -> None:
        for unit in UNITS:
            self.systemctl("start", unit)

    def token(self, subject: str = "alice") -> str:
        """A token under the secret that signs, of those that the file has now."""
        versions = self.environment.get("BETTER_AUTH_SECRETS", "")
        newest = versions.partition(",")[0].partition(":")[2]
        secret = newest or self.environment["BETTER_AUTH_SECRET"]
        return SecretIssuer(secret, clock=Clock(time.time())).mint(sub=subject)

    def outcomes(self, token: str) -> set[str]:
        return {api.me(token).outcome for api in self.apis}


@contextmanager
def machine(folder: Path, **environment: str) -> Iterator[Machine]:
    made = Machine(
        folder,
        **{
            "DJANGO_SECRET_KEY": secrets.token_hex(32),
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "BETTER_AUTH_SECRET": secrets.token_hex(32),
            "CACHE_URL": "",
            **environment,
        },
    )
    with ExitStack() as stack:
        for api in made.apis:
            stack.callback(api.stop)
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3") as made:
        made.shell(".venv/bin/python manage.py migrate\n")
        made.start()
        yield made


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with postgresql() as cluster:
        yield cluster


def without_password(url: str) -> str:
    return re.sub("//([^:]+):[^@]+@", r"//\1@", url)


@pytest.fixture
def on_postgresql(tmp_path: Path, cluster: Cluster) -> Iterator[Machine]:
    password = secrets.token_urlsafe(32)
    url = f"{without_password(cluster.url_of('todos_a', password, 'todos'))}?{PARAMETERS}"
    with machine(tmp_path, DATABASE_URL=url, PGPASSWORD=password) as made:
        made.shell(
            FIRST_START,
            PATH=f"{cluster.programs}:{os.environ['PATH']}",
            ADMIN_URL=without_password(cluster.url),
            ADMIN_PASSWORD=cluster.password,
            PASSWORD=password,
        )
        made.shell(MIGRATE)
        made.start()
        yield made


def create(api: Api, token: str, title: str) -> Any:
    answer = api.post("/api/todos/", token, {"title": title})
    assert answer.status == 201, answer.body
    return answer.data


def everything(api: Api, token: str) -> dict[str, Any]:
    answer = api.get("/api/todos/?limit=200", token)
    assert answer.status == 200, answer.body
    return {todo["id"]: todo for todo in answer.data["results"]}


class Writer:
    """A client that creates todos in the background. ``acknowledged`` has them by id."""

    def __init__(self, api: Api, token: str) -> None:
        self.acknowledged: dict[str, Any] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, args=(api, token))

    def _write(self, api: Api, token: str) -> None:
        while not self._over.wait(0.05):
            todo = create(api, token, "Meanwhile")
            self.acknowledged[todo["id"]] = todo

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()


def test_every_shell_block_is_run() -> None:
    used = [FIRST_START, INDEX, MIGRATE, DUMP, RESTORE, SWITCH, COPY, PUT_BACK, RESTART]
    used += [NEW_AUTH_SECRET, WITHOUT_OLD_SECRET, NEW_DJANGO_KEY, TAKE_OVER, LOCK_OUT]
    shown = [text for page in (POSTGRESQL, OPERATIONS, DEPLOYMENT) for text in texts(page, "sh")]
    assert sorted(used) == sorted(shown)


class TestBackups:
    def test_a_dump_of_postgresql_is_restored(self, on_postgresql: Machine) -> None:
        self.back_up_and_restore(on_postgresql, DUMP, RESTORE + SWITCH)
        assert "/todos_restored?" in on_postgresql.environment["DATABASE_URL"]

    def test_a_copy_of_sqlite_is_restored(self, sqlite: Machine) -> None:
        sqlite.systemctl("stop", UNITS[1])  # the page restarts one server
        del sqlite.units[UNITS[1]]
        self.back_up_and_restore(sqlite, COPY, PUT_BACK)

    def back_up_and_restore(self, machine: Machine, back_up: str, restore: str) -> None:
        api, token = machine.apis[0], machine.token()
        kept = create(api, token, "Kept \u00e9 \U0001f600")
        with Writer(api, token) as writer:
            while not writer.acknowledged:
                time.sleep(0.05)
            before = {kept["id"]: kept, **writer.acknowledged}
            machine.shell(back_up)
        assert api.send("DELETE", f"/api/todos/{kept['id']}/", token).status == 204
        lost = create(api, token, "Too late")
        seen = api.get("/api/todos/changes/", token).data["checkpoint"]["since"]
        machine.shell(restore)
        for each in machine.apis:
            restored = everything(each, token)
            assert before.items() <= restored.items()
            assert lost["id"] not in restored
            assert each.get("/readyz").status == 200
        create(api, token, "After it")
        assert api.get(f"/api/todos/changes/?since={seen}", token).status == 410
        documents = api.get("/api/todos/changes/", token).data["documents"]
        assert {each["id"] for each in documents} == everything(api, token).keys()


class TestEnvironmentFile:
    def test_a_shell_reads_every_line_of_the_page(self, tmp_path: Path) -> None:
        (tmp_path / "todos.env").write_text(EXAMPLE)
        script = "set -euo pipefail; set -a; . ./todos.env; set +a; env -0"
        variables = dict(
            each.split("=", 1)
            for each in run(["bash", "-c", script], tmp_path, {}).split("\0")[:-1]
        )
        written = dict(re.findall(r"^(\w+)='(.*)'$", EXAMPLE, re.MULTILINE))
        assert len(written) == len(EXAMPLE.splitlines())
        assert written.items() <= variables.items()
        assert "&" in written["DATABASE_URL"]


class TestFirstStart:
    def test_the_database_is_in_utf_8_on_a_server_in_sql_ascii(self, tmp_path: Path) -> None:
        with postgresql(encoding="SQL_ASCII", locale="C") as cluster, machine(tmp_path) as made:
            made.shell(
                FIRST_START,
                PATH=f"{cluster.programs}:{os.environ['PATH']}",
                ADMIN_URL=without_password(cluster.url),
                ADMIN_PASSWORD=cluster.password,
                PASSWORD=secrets.token_urlsafe(32),
            )
            encodings = "SELECT datname, pg_encoding_to_char(encoding) FROM pg_database"
            assert "template1|SQL_ASCII" in cluster.psql(encodings)
            assert "todos|UTF8" in cluster.psql(encodings)


class TestTimeLimits:
    def test_login_roles_have_the_limits_of_the_page(
        self, tmp_path: Path, cluster: Cluster
    ) -> None:
        for role in ("todos_a", "todos_b"):
            cluster.psql(f"CREATE ROLE {role} LOGIN")
        cluster.psql(TIME_LIMITS)
        settings = "SELECT rolname, unnest(setconfig) FROM pg_db_role_setting, pg_roles"
        found = cluster.psql(f"{settings} WHERE setrole = pg_roles.oid").splitlines()
        limits = ["statement_timeout=10s", "lock_timeout=5s"]
        limits.append("idle_in_transaction_session_timeout=30s")
        assert sorted(found) == sorted(
            f"{role}|{limit}" for role in ("todos_a", "todos_b") for limit in limits
        )


class TestSearchIndex:
    def test_the_command_makes_an_index(self, on_postgresql: Machine, cluster: Cluster) -> None:
        on_postgresql.shell(INDEX)
        indexes = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'"
        assert cluster.psql(f"\\c todos\n{indexes}") == "1"


class TestUpgrade:
    def test_servers_become_ready_with_the_rows_of_version_0_1(
        self, on_postgresql: Machine, cluster: Cluster
    ) -> None:
        on_postgresql.shell(".venv/bin/python manage.py migrate todos 0001\n")
        database = cluster.url_of("postgres", cluster.password, "todos")
        with psycopg.connect(database) as connection:
            insert(connection.cursor(), **ROWS)
        apis, token = on_postgresql.apis, on_postgresql.token(ALICE)
        assert [api.get("/readyz").status for api in apis] == [503, 503]
        on_postgresql.shell(MIGRATE)
        assert [api.get("/readyz").status for api in apis] == [200, 200]
        titles = {todo["title"] for todo in everything(apis[0], token).values()}
        assert titles == {todo["title"] for todo in ROWS[TODOS] if todo["owner_id"] == ALICE}

    def test_a_migration_has_no_statement_timeout(self, on_postgresql: Machine) -> None:
        ask = (
            "from django.db import connection; cursor = connection.cursor(); "
            "print([cursor.execute('SHOW ' + name).fetchone()[0]"
            " for name in ('statement_timeout', 'lock_timeout')])"
        )
        block = MIGRATE.replace("py migrate", f'py shell -v 0 -c "{ask}"')
        assert PARAMETERS in on_postgresql.environment["DATABASE_URL"]
        for without in ("", "DATABASE_URL=${DATABASE_URL%%\\?*}\n"):
            assert "['0', '5s']" in on_postgresql.shell(without + block)


class TestDailyCommand:
    def test_stored_answers_are_purged(self, sqlite: Machine) -> None:
        command = DAILY.removeprefix("17 3 * * *").replace("/srv/todos", str(sqlite.folder))
        assert "0" in sqlite.shell(command)


class TestSecrets:
    def test_better_auth_secret_is_changed(self, sqlite: Machine) -> None:
        before = sqlite.token()
        assert sqlite.outcomes(before) == {"200"}
        sqlite.shell(NEW_AUTH_SECRET)
        assert sqlite.outcomes(before) == {"200"}
        after = sqlite.token()
        assert sqlite.outcomes(after) == {"200"}
        sqlite.shell(WITHOUT_OLD_SECRET)
        assert sqlite.outcomes(before) == {WITHDRAWN}
        assert sqlite.outcomes(after) == {"200"}

    def test_django_secret_key_is_changed(self, sqlite: Machine) -> None:
        first, second = sqlite.apis
        token = sqlite.token()
        for title in ("One", "Two", "Three"):
            create(first, token, title)
        following = next_page(first, token)
        assert second.get(following, token).status == 200, "both have the same key"
        sqlite.shell(NEW_DJANGO_KEY)
        for api in sqlite.apis:
            assert api.get(following, token).outcome == "400 invalid_parameter"
            assert first.get(next_page(api, token), token).status == 200

    def test_rotation_of_the_key_set_needs_no_command(self, tmp_path: Path, issuer: Issuer) -> None:
        environment = {
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "BETTER_AUTH_URL": issuer.url,
        }
        with machine(tmp_path, **environment) as made:
            made.shell(".venv/bin/python manage.py migrate\n")
            made.start()
            leaked = issuer.kid
            old = issuer.mint()
            assert made.outcomes(old) == {"200"}
            issuer.rotate()
            new = issuer.mint()
            for api in made.apis:
                api.wait_for("200", new, meanwhile=UNKNOWN)
            assert made.outcomes(old) == {"200"}
            issuer.withdraw(leaked)
            made.shell(RESTART)
            assert made.outcomes(old) == {UNKNOWN}
            assert made.outcomes(new) == {"200"}
            made.shell(NEW_AUTH_SECRET)  # tokens of the key set do not depend on it
            assert made.outcomes(new) == {"200"}

    def test_the_password_of_the_database_is_changed(
        self, on_postgresql: Machine, cluster: Cluster
    ) -> None:
        token = on_postgresql.token()
        before = create(on_postgresql.apis[0], token, "Before")
        old = on_postgresql.environment
        first, second = on_postgresql.apis
        steps = SYSTEMCTL.split(TAKE_OVER)
        on_postgresql.shell(steps[0])
        with Writer(second, token):  # the other server still has the old password
            on_postgresql.systemctl("restart", UNITS[0])
        with Writer(first, token):
            on_postgresql.systemctl("restart", UNITS[1])
            on_postgresql.shell(LOCK_OUT)
        assert logins_of(cluster) == {"todos_b"}
        for api in on_postgresql.apis:
            assert everything(api, token)[before["id"]] == before
            create(api, token, "After")
        on_postgresql.shell('psql "$DATABASE_URL" -c "CREATE TABLE made_later ()"\n')
        with pytest.raises(AssertionError, match=r"not permitted to log in|authentication failed"):
            on_postgresql.shell(
                'PGPASSWORD=$OLD_PASSWORD psql "$OLD_URL" -c "SELECT 1"\n',
                OLD_PASSWORD=old["PGPASSWORD"],
                OLD_URL=old["DATABASE_URL"],
            )
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        assert cluster.psql(f"\\c todos\n{owners}") == "todos"


def logins_of(cluster: Cluster) -> set[str]:
    sql = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'todos'"
    return {*cluster.psql(sql).splitlines()}


def next_page(api: Api, token: str) -> str:
    """The path of the second page, taken from the first."""
    address: str = api.get("/api/todos/?limit=1", token).data["next"]
    return address.removeprefix(api.url)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Better Auth's key set on loopback, with the present as its clock."""
    with stub_issuer() as stub:
        yield stub.issuer
