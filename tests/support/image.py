"""Build and run the image of a ``Dockerfile`` in a mount namespace, without a container engine.

``/opt`` and ``/srv`` belong to the image. A Python of this machine replaces that of the base image
in ``/usr/local``. A container shares the other folders with this machine and can write to ``/tmp``
only, as with ``docker run --read-only --tmpfs /tmp``. Needs Linux, and root or user namespaces.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# A Python that was built for another prefix does not look for its libraries here.
LIBRARIES = {"LD_LIBRARY_PATH": "/usr/local/lib"}
BASE_PATH = "/usr/local/bin:/usr/bin:/bin"
BUILD_SECONDS = 300
ROOTS = ("opt", "srv")


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Split the exec form (JSON), or the shell form."""
        return [*map(str, json.loads(self.text))] if self.is_exec else shlex.split(self.text)

    @property
    def is_exec(self) -> bool:
        return self.text.startswith("[")


def read_dockerfile(path: Path) -> list[list[Instruction]]:
    """Return the stages. Reads only the syntax that this project's files use."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = []
    for logical in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not logical:
            continue
        name, _, text = logical.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, text.strip()))
    return stages


def sent_files(context: Path) -> Iterator[Path]:
    """Return the files that ``.dockerignore`` sends to an engine, relative to the folder."""
    rules = [
        (line.startswith("!"), as_pattern(line.removeprefix("!")))
        for line in (context / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for folder, names, files in os.walk(context):
        here = Path(folder).relative_to(context)
        # Walking these would take long, and nothing below them is sent.
        names[:] = [name for name in names if name not in {".git", ".venv", "node_modules"}]
        yield from (here / name for name in files if not is_ignored(here / name, rules))


def is_ignored(path: Path, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Apply the last rule that fits the path or a folder above."""
    above = [str(path), *map(str, path.parents)]
    fitting = [lets for lets, pattern in rules if any(map(pattern.fullmatch, above))]
    return bool(fitting) and not fitting[-1]


def as_pattern(rule: str) -> re.Pattern[str]:
    escaped = re.escape(rule).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(escaped)


@dataclass
class Image:
    """A stage: its ``/opt`` and ``/srv``, and the command of its containers."""

    folder: Path
    python: Path = Path(sys.base_prefix)
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    health_command: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"

    def path(self, inside: str) -> Path:
        """Return the place of a path of the image on this machine."""
        absolute = Path("/", self.directory, inside)
        assert absolute.parts[1] in ROOTS, f"{absolute} is not in {ROOTS}"
        return self.folder / absolute.relative_to("/")

    def popen(
        self, command: list[str], environment: Mapping[str, str], *, build: bool = False
    ) -> subprocess.Popen[str]:
        """Start a process of a container. A signal to the process reaches its command."""
        binds = [(self.folder / root, f"/{root}") for root in ROOTS]
        mounts = [
            f"mount --bind {shlex.quote(str(source))} {target}"
            for source, target in [(self._usr_local(), "/usr/local"), *binds]
        ]
        if not build:
            mounts += ["mount -t tmpfs tmpfs /tmp"]
            mounts += [
                f"mount -o remount,bind,ro {target}"
                for target in ("/", "/usr/local", *(target for _, target in binds))
            ]
        script = "\n".join(
            [
                "set -e",
                *mounts,
                f"cd {self.directory}",
                f"exec {self._prefix(build)} {shlex.join(command)}",
            ]
        )
        return subprocess.Popen(
            [*unshare(), "sh", "-c", script],
            env={"PATH": BASE_PATH, **LIBRARIES, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self, command: list[str], environment: Mapping[str, str], *, build: bool = False
    ) -> tuple[int, str]:
        """Return the status of a command and its output."""
        with self.popen(command, environment, build=build) as process:
            try:
                printed, _ = process.communicate(timeout=BUILD_SECONDS)
            except BaseException:
                process.kill()
                raise
        return process.returncode, printed

    def _usr_local(self) -> Path:
        """Return the place of Python in an image of Python."""
        if self.python != Path("/usr"):
            return self.python
        programs = self.folder / "usr-local" / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        if not (programs / "python").is_symlink():
            (programs / "python").symlink_to(Path(sys.executable).resolve())
        return programs.parent

    def _prefix(self, build: bool) -> str:
        """Act as ``USER``, ``--cap-drop ALL`` and ``--security-opt no-new-privileges`` do.

        A user namespace has root as its only user, who has no rights outside.
        """
        if build:
            return ""
        user, _, group = self.user.partition(":")
        who = f"--reuid={user} --regid={group} --clear-groups" if os.geteuid() == 0 else ""
        return f"setpriv {who} --bounding-set=-all --inh-caps=-all --no-new-privs --"


def unshare() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def build(dockerfile: Path, folder: Path) -> Image:
    """Build the last stage in ``folder``. Raises ``AssertionError`` if a command fails."""
    sent = sorted(sent_files(dockerfile.parent))
    stages: dict[str, Image] = {}
    for number, instructions in enumerate(read_dockerfile(dockerfile)):
        image = Image(folder / str(number))
        for root in ROOTS:
            (image.folder / root).mkdir(parents=True)
        builder = Builder(image, dockerfile.parent, sent, stages)
        for each in instructions:
            builder.carry_out(each)
        stages[builder.name] = image
    return image


@dataclass
class Builder:
    """Carries out the instructions of one stage."""

    image: Image
    context: Path
    sent: list[Path]
    stages: Mapping[str, Image]
    name: str = ""

    def carry_out(self, instruction: Instruction) -> None:
        image, text = self.image, instruction.text
        match instruction.name:
            case "FROM":
                base, _, self.name = text.partition(" AS ")
                image.python = python_like(base)
            case "ENV":
                for name, _, value in (pair.partition("=") for pair in instruction.words):
                    image.environment[name] = value.replace("$PATH", BASE_PATH)
            case "WORKDIR":
                image.directory = text
                image.path(text).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self.copy(*instruction.words)
            case "RUN":
                self.run(text)
            case "USER":
                image.user = text
            case "STOPSIGNAL":
                image.stop_signal = text
            case "CMD":
                image.command = instruction.words
            case "HEALTHCHECK":
                image.health_command = Instruction("CMD", text.partition(" CMD ")[2]).words
            case "EXPOSE":
                pass
            case name:
                raise NotImplementedError(f"This reader does not know {name}.")

    def run(self, script: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name != "PATH"}
        status, printed = self.image.run(["sh", "-c", script], inherited, build=True)
        assert status == 0, f"RUN {script}\n{printed}"

    def copy(self, *words: str) -> None:
        *sources, target = (word for word in words if not word.startswith("--"))
        stage = words[0].removeprefix("--from=")
        for source in sources:
            if stage == words[0]:
                self.copy_from_context(source, target)
            else:
                from_there = self.stages[stage].path(source)
                into = self.image.path(target)
                shutil.copytree(from_there, into, symlinks=True, dirs_exist_ok=True)

    def copy_from_context(self, source: str, target: str) -> None:
        """Copy a file, or the content of a folder. Files that were not sent are missing."""
        found = [path for path in self.sent if path.is_relative_to(source)]
        assert found, f"{source} is not there, or .dockerignore keeps it back"
        for path in found:
            inner = path.relative_to(source) if path != Path(source) else path.name
            into = self.image.path(target) / inner
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.context / path, into)


def python_like(base: str) -> Path:
    """Return the prefix of the Python version that an image is based on, or of this Python."""
    version = base.partition(":")[2].partition("-")[0]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return max(pyenv.glob(f"versions/{version}.*"), default=Path(sys.base_prefix))
