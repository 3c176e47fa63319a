"""Build the image of ``Dockerfile`` and check ``compose.yaml``, without an engine.

The commands of the image run as its user, without a capability. They see a clean folder on a file
system where only ``/tmp`` can be written. Needs Linux, PostgreSQL and the package index of pip. Run
with ``pytest -m live``.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from authn.testing import SECRET, Clock, SecretIssuer
from tests.support.image import Image, build, read_dockerfile, sent_files
from tests.support.licences import LICENCES, requirements
from tests.support.postgresql import Cluster, postgresql
from tests.support.processes import EXAMPLE, PROJECT, free_port, run

pytestmark = pytest.mark.live

START_SECONDS = 30
STOP_SECONDS = 10
DOCKERFILES = [PROJECT / "Dockerfile", EXAMPLE / "Dockerfile"]
COMPOSE = PROJECT / "compose.yaml"
# Every value that compose.yaml asks for, which has no default for any of them.
SECRETS = {name: secrets.token_hex(32) for name in re.findall(r"\${(\w+):\?}", COMPOSE.read_text())}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)  # for the user of the image
    try:
        yield build(PROJECT / "Dockerfile", folder)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def environment(cluster: Cluster) -> dict[str, str]:
    """The environment that the operator adds to the image."""
    return {
        "PORT": str(free_port()),
        "DJANGO_SECRET_KEY": secrets.token_hex(32),
        "DJANGO_ALLOWED_HOSTS": "todos.example.com,127.0.0.1",
        "BETTER_AUTH_SECRET": SECRET,
        "DATABASE_URL": cluster.url,
        "WEB_CONCURRENCY": "2",
        "CACHE_URL": f"redis://127.0.0.1:{free_port()}/0",  # which is down
    }


@dataclass(frozen=True, slots=True)
class Container:
    process: subprocess.Popen[str]
    api: httpx.Client

    def stop(self, number: int = signal.SIGTERM) -> str:
        """All that it has printed, once it is gone."""
        self.process.send_signal(number)
        printed, _ = self.process.communicate(timeout=STOP_SECONDS)
        return printed


@contextmanager
def container(image: Image, environment: dict[str, str]) -> Iterator[Container]:
    address = f"http://127.0.0.1:{environment['PORT']}"
    process = image.popen(image.command, environment)
    with process, httpx.Client(base_url=address, trust_env=False) as api:
        started = Container(process, api)
        try:
            wait_until_healthy(image, environment, started)
            yield started
        finally:
            if process.poll() is None:
                process.terminate()


def wait_until_healthy(image: Image, environment: dict[str, str], started: Container) -> None:
    deadline = time.monotonic() + START_SECONDS
    while image.run(image.health_command, environment)[0] != 0:
        if started.process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(started.stop())
        time.sleep(0.2)


def test_the_image_has_product_code_only(image: Image) -> None:
    files = [path.relative_to(image.path(".")) for path in image.path(".").rglob("*.py")]
    packages = {path.parent.name for path in PROJECT.glob("*/__init__.py")} - {"tests"}
    assert {path.parts[0] for path in files} == {"manage.py", *packages}
    assert not [path for path in files if {"tests", "testing", "testing.py"} & {*path.parts}]
    others = {path.name for path in image.path(".").iterdir()} - packages
    assert others == {"manage.py", "__pycache__"}
    assert not [*image.path("/opt/venv").glob("lib/*/site-packages/pip")]


def test_all_code_of_the_image_is_compiled(image: Image) -> None:
    sources = [*image.path(".").rglob("*.py")]
    compiled = {path.parent.parent / path.name.split(".")[0] for path in compiled_files(image)}
    assert compiled == {path.with_suffix("") for path in sources}


def compiled_files(image: Image) -> list[Path]:
    return [*image.path(".").rglob("*.pyc")]


def test_every_package_of_the_image_has_a_listed_licence(image: Image) -> None:
    found = [path.name for path in image.path("/opt/venv").glob("lib/*/site-packages/*.dist-info")]
    names = {name.partition("-")[0].lower().replace("_", "-") for name in found}
    conditional = {name for name, when in requirements().items() if "full_version" in when}
    assert names - conditional == LICENCES.keys() - conditional


def test_the_image_runs_without_root(image: Image) -> None:
    status, printed = image.run(["id", "-u"], {})
    if os.geteuid() == 0:
        assert (status, printed.strip()) == (0, image.user.partition(":")[0])
    assert re.fullmatch("[1-9][0-9]+:[1-9][0-9]+", image.user)


def test_the_image_writes_only_to_tmp(image: Image) -> None:
    script = (
        "for folder in . /opt/venv /etc /tmp; do touch $folder/x 2>/dev/null && echo $folder; done"
    )
    _, printed = image.run(["sh", "-c", f"{script}; true"], {})
    assert printed.split() == ["/tmp"]


def test_the_commands_of_the_image_serve_and_stop(
    image: Image, environment: dict[str, str]
) -> None:
    migrate = ["python", "manage.py", "migrate"]
    status, printed = image.run(migrate, environment)
    assert status == 0, printed
    token = SecretIssuer(SECRET, clock=Clock(time.time())).mint()
    bearer = {"Authorization": f"Bearer {token}"}
    with container(image, environment) as running:
        assert running.api.get("/readyz").status_code == 200
        todo = {"title": "From a container"}
        assert running.api.post("/api/todos/", json=todo, headers=bearer).status_code == 201
        printed = running.stop(signal.Signals[image.stop_signal])
        assert running.process.returncode == 0, printed
    assert "Traceback" not in printed
    status, printed = image.run(image.health_command, environment)
    assert status != 0, "a server that is gone is no healthy one"


def test_the_image_does_not_start_without_settings(image: Image) -> None:
    status, printed = image.run(image.command, {})
    assert status == 1
    assert {"authn.E001", "api.E002"} <= {line.partition(":")[0] for line in printed.splitlines()}


@pytest.mark.parametrize("file", DOCKERFILES, ids=["api", "issuer"])
def test_the_dockerfile_passes_a_linter(file: Path) -> None:
    run([str(Path(sys.prefix, "bin", "hadolint")), str(file)], PROJECT, {})


def test_the_issuer_starts_like_npm_start() -> None:
    (instructions,) = read_dockerfile(EXAMPLE / "Dockerfile")
    (command,) = (each.words for each in instructions if each.name == "CMD")
    assert (
        " ".join(command) == json.loads((EXAMPLE / "package.json").read_text())["scripts"]["start"]
    )
    copied = {word for each in instructions if each.name == "COPY" for word in each.words[:-1]}
    assert copied == {str(path) for path in sent_files(EXAMPLE)}


class TestCompose:
    def test_the_compose_file_is_valid(self) -> None:
        check = str(Path(sys.prefix, "bin", "check-jsonschema"))
        run([check, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)], PROJECT, {})
        if client_has_compose():
            run(["docker", "compose", "--file", str(COMPOSE), "config", "-q"], PROJECT, SECRETS)

    def test_every_service_has_its_dockerfile(self) -> None:
        services = composed()
        for service in services.values():
            assert "image" in service
            if "build" in service:
                assert (PROJECT / service["build"] / "Dockerfile").is_file()
            assert {*service.get("depends_on", ())} <= {*services}

    def test_the_compose_file_has_no_secret(self) -> None:
        assert len(SECRETS) == 4
        for name, value in re.findall(
            r"^\s+(\w*(?:PASSWORD|SECRET|KEY)\w*): (.*)$", COMPOSE.read_text(), re.MULTILINE
        ):
            assert re.fullmatch(r"\${\w+:\?}", value), name

    def test_the_settings_of_compose_pass_every_check(self) -> None:
        settings = {**composed()["api"]["environment"], "HOST": "0.0.0.0"}
        check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        run([sys.executable, *check], PROJECT, settings)

    def test_the_api_and_a_browser_reach_the_issuer(self) -> None:
        services = composed()
        api, issuer = services["api"], services["issuer"]
        url = issuer["environment"]["BETTER_AUTH_URL"]
        assert api["environment"]["BETTER_AUTH_URL"] == url == "http://127.0.0.1:3000"
        assert api["network_mode"] == "service:issuer"
        assert [*issuer["ports"]] == ["127.0.0.1:3000:3000", "127.0.0.1:8000:8000"]

    def test_the_container_of_the_api_has_no_capabilities(self) -> None:
        for name in ("api", "migrate"):
            service = composed()[name]
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]


def composed() -> dict[str, Any]:
    """Return the services, with a value for each variable."""
    text = re.sub(r"\${(\w+):\?}", lambda found: SECRETS[found[1]], COMPOSE.read_text())
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def client_has_compose() -> bool:
    try:
        found = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return found.returncode == 0
