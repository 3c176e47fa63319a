"""Every block of ``docs/clients.md`` runs.

Shell and Python run against a real process (``pytest -m live``; needs bash and curl). Blocks for a
browser, and lines that ask Better Auth, need Node and the packages of ``examples/better-auth``
(``pytest -m interop``).
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from authn.testing import SECRET, Clock, SecretIssuer
from authn.testing import Issuer as KeySetIssuer
from tests.support.client_page import (
    BLOCKS,
    BROWSER,
    PYTHON,
    SHELL,
    shell_of,
)
from tests.support.page_requests import ADDRESS, promises_of, run_requests
from tests.support.pages import texts
from tests.support.processes import EXAMPLE, PROJECT, Api, Issuer, Servers, free_port, run

ISSUER_ADDRESS = "http://127.0.0.1:3000"
SIGNED_IN, MINTED = "From Better Auth", "With the shared secret"
STORIES = Path(__file__).with_name("client_stories.mjs")

# The strict options of create-next-app, compiled to modules that Node loads without a bundler.
TSCONFIG = {
    "target": "es2022",
    "lib": ["es2022", "dom", "dom.iterable"],
    "types": ["node"],
    "jsx": "react-jsx",
    "strict": True,
    "skipLibCheck": True,
    "moduleResolution": "bundler",
    "module": "commonjs",
    "esModuleInterop": True,
    "rootDir": ".",
    "outDir": "built",
}

live, interop = pytest.mark.live, pytest.mark.interop

SignIn = Callable[[Api, str], Any]


def test_every_block_is_run() -> None:
    titles = [block.title for block in SHELL]
    assert {*titles[1:]} == {SIGNED_IN, MINTED, "curl", "HTTPie", "A generated client"}
    assert [block.file for block in PYTHON] == ["todos.py", ""]
    files = [block.file for block in BROWSER]
    assert files == ["lib/auth-client.ts", "lib/todos.ts", "app/todos/page.tsx"]
    assert {block.language for block in BLOCKS} == {"sh", "python", "ts", "tsx", ""}


def run_shell(script: str, directory: Path, api: Api) -> str:
    """Run lines of the page, some of which use the project, and return their output."""
    (directory / ".venv").symlink_to(sys.prefix)
    (directory / "manage.py").symlink_to(PROJECT / "manage.py")
    path = f"{sys.prefix}/bin:{os.environ['PATH']}"
    environment = {**api.environment, "HOME": str(directory), "PATH": path}
    return run_requests(script, directory, api.url, environment)


def token_of(subject: str) -> str:
    return SecretIssuer(SECRET, clock=Clock(time.time())).mint(sub=subject)


@live
@pytest.mark.parametrize(("title", "requests"), [("curl", 5), ("HTTPie", 16)])
def test_a_request_gets_the_answer_in_its_comment(
    api: Api, tmp_path: Path, title: str, requests: int
) -> None:
    script = shell_of(MINTED, title)
    assert len(promises_of(script)) == requests
    run_shell(script, tmp_path, api)


@live
def test_the_python_prints_the_output_below_it(api: Api, tmp_path: Path) -> None:
    client, script = PYTHON
    (tmp_path / client.file).write_text(client.text)
    (tmp_path / "script.py").write_text(script.text.replace(ADDRESS, api.url))
    printed = run([sys.executable, "script.py"], tmp_path, {"TOKEN": token_of("ada")})
    below = BLOCKS[BLOCKS.index(script) + 1]
    assert (below.language, below.text) == ("", printed)


@dataclass
class Pauses:
    """Stands in for ``time`` in the client of the page, and records how long it waited."""

    sleep_at_all: bool = True
    seconds: list[int] = field(default_factory=list)

    def sleep(self, seconds: int) -> None:
        self.seconds.append(seconds)
        if self.sleep_at_all:
            time.sleep(seconds)


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """The module ``todos.py`` of the page."""
    file = tmp_path / "client.py"
    file.write_text(PYTHON[0].text)
    spec = importlib.util.spec_from_file_location("client", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sign_in(client: Any, request: pytest.FixtureRequest) -> Iterator[SignIn]:
    """``sign_in(api, token)``: the ``Todos`` of the page."""
    opened: list[Any] = []

    def sign_in(api: Api, token: str) -> Any:
        opened.append(client.Todos(f"{api.url}/api/", token))
        return opened[-1]

    yield sign_in
    for todos in opened:
        todos.http.close()


@live
def test_the_python_client_walks_through_all_pages(api: Api, sign_in: SignIn) -> None:
    todos = sign_in(api, token_of("walker"))
    made = [todos.create(title=f"Todo {number}") for number in range(5)]
    assert [*todos.all(limit=2, ordering="created_at")] == made


@live
def test_the_python_client_waits_for_retry_after(
    servers: Servers, client: Any, sign_in: SignIn
) -> None:
    client.time = Pauses()
    todos = sign_in(servers.api(secret=SECRET, THROTTLE_USER="1/s"), token_of("hasty"))
    titles = [todos.create(title=f"Todo {number}")["title"] for number in range(3)]
    assert [todo["title"] for todo in todos.all(ordering="created_at")] == titles
    assert {*client.time.seconds} == {1}


@live
def test_the_python_client_gives_up_without_keys(
    servers: Servers, client: Any, sign_in: SignIn
) -> None:
    client.time = Pauses(sleep_at_all=False)
    api = servers.api(BETTER_AUTH_URL=f"http://127.0.0.1:{free_port()}")
    todos = sign_in(api, KeySetIssuer(clock=Clock(time.time())).mint(sub="ada"))
    with pytest.raises(client.Problem) as problem:
        todos.create(title="Buy milk")
    assert (problem.value.status, problem.value.code) == (503, "keys_unavailable")
    assert len(client.time.seconds) == client.TRIES - 1
    assert all(1 <= seconds <= 10 for seconds in client.time.seconds)


@live
def test_the_python_client_creates_one_todo_if_an_answer_is_lost(
    api: Api, client: Any, sign_in: SignIn
) -> None:
    client.time = Pauses(sleep_at_all=False)
    todos = sign_in(api, token_of("unlucky"))
    arrived: list[httpx.Response] = []

    def lose_the_first(response: httpx.Response) -> None:
        arrived.append(response)
        if len(arrived) == 1:
            raise httpx.ReadError("reset by peer")

    todos.http.event_hooks = {"response": [lose_the_first]}
    milk = todos.create(title="Buy milk")
    assert [*todos.all()] == [milk]
    assert [response.status_code for response in arrived] == [201, 201, 200]


@live
def test_the_python_client_keeps_changes_of_other_fields(api: Api, sign_in: SignIn) -> None:
    todos = sign_in(api, token_of("together"))
    seen = todos.create(title="Buy milk")
    todos.change(seen, tags=["shop"])
    changed = todos.change(seen, priority="high")
    assert (changed["tags"], changed["priority"]) == (["shop"], "high")


@live
def test_the_python_client_overwrites_no_unseen_change(
    api: Api, client: Any, sign_in: SignIn
) -> None:
    todos = sign_in(api, token_of("against"))
    seen = todos.create(title="Buy milk")
    theirs = todos.change(seen, priority="low")
    with pytest.raises(client.Problem) as problem:
        todos.change(seen, priority="high")
    assert (problem.value.status, problem.value.code) == (412, "precondition_failed")
    assert [*todos.all()] == [theirs]


@pytest.fixture(scope="module")
def issuer(servers: Servers) -> Issuer:
    return servers.issuer()


@interop
def test_a_token_of_better_auth_opens_the_api(
    servers: Servers, issuer: Issuer, tmp_path: Path
) -> None:
    script = shell_of(SIGNED_IN).replace(ISSUER_ADDRESS, issuer.url)
    script += 'echo\ncurl --oauth2-bearer "$TOKEN" "$API/me/"\n'
    printed = run_shell(script, tmp_path, servers.api(issuer))
    assert json.loads(printed.splitlines()[-1])["email"] == "ada@example.com"


@interop
def test_a_token_of_the_documented_signer_opens_the_api(api: Api, tmp_path: Path) -> None:
    (signer,) = texts("docs/authentication.md", "ts", "The shared secret")
    user = "const user = {id: 'ada', email: 'ada@example.com', name: 'Ada'};"
    (tmp_path / "node_modules").symlink_to(EXAMPLE / "node_modules")
    (tmp_path / "sign.mjs").write_text(f"{user}\n{signer}console.log(token);\n")
    token = run(["node", "sign.mjs"], tmp_path, {"BETTER_AUTH_SECRET": SECRET}).strip()
    assert api.me(token).data["email"] == "ada@example.com"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the TypeScript of the page, checked and compiled, and its stories."""
    directory = tmp_path_factory.mktemp("page")
    (directory / "node_modules").symlink_to(EXAMPLE / "node_modules")
    (directory / "package.json").write_text("{}")
    (directory / "tsconfig.json").write_text(json.dumps({"compilerOptions": TSCONFIG}))
    (directory / STORIES.name).write_text(STORIES.read_text())
    for block in BROWSER:
        file = directory / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
    run(["node", "node_modules/typescript/bin/tsc"], directory, {})
    return directory


@pytest.fixture(scope="module")
def api_of(servers: Servers, issuer: Issuer) -> Callable[[str], Api]:
    """Story -> the API it runs against."""
    usual = servers.api(issuer, CORS_ALLOWED_ORIGINS=issuer.url)
    nowhere = f"http://127.0.0.1:{free_port()}/"
    special = {
        "an API without keys signs nobody out": servers.api(
            issuer, CORS_ALLOWED_ORIGINS=issuer.url, BETTER_AUTH_JWKS_URL=nowhere
        ),
        "a page of an unknown origin cannot read the API": servers.api(issuer),
    }
    return lambda story: special.get(story, usual)


@interop
@pytest.mark.parametrize(
    "story", re.findall(r'^  async "(.*)"\(', STORIES.read_text(), re.MULTILINE)
)
def test_a_story_of_the_page_in_a_browser(
    compiled: Path, issuer: Issuer, api_of: Callable[[str], Api], story: str
) -> None:
    addresses = {"ISSUER_URL": issuer.url, "NEXT_PUBLIC_TODOS_API": api_of(story).url}
    run(["node", STORIES.name, story], compiled, addresses)
