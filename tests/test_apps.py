"""An app of this project is named in every file that has a list of apps."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection

import pytest
from django.conf import settings

from tests.support.apps import rooms
from tests.support.pages import read

APPS = rooms("apps.py", "models.py")
IMPORTS = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]
LAYERS = next(each["layers"] for each in IMPORTS["contracts"] if "config" in each.get("layers", ()))


@pytest.mark.parametrize(
    ("place", "wanted", "named"),
    [
        ("INSTALLED_APPS of config/settings.py", APPS, settings.INSTALLED_APPS),
        ("root_packages of pyproject.toml", rooms(), IMPORTS["root_packages"]),
        ("the first layers of pyproject.toml", rooms(), re.findall(r"\w+", " ".join(LAYERS))),
        (
            "the COPY lines of Dockerfile",
            rooms(),
            re.findall(r"^COPY (\w+) \1/$", read("Dockerfile"), re.MULTILINE),
        ),
        (
            ".dockerignore",
            rooms(),
            re.findall(r"^!(\w+)$", read(".dockerignore"), re.MULTILINE),
        ),
    ],
    ids=["settings", "packages", "layers", "dockerfile", "dockerignore"],
)
def test_no_app_is_forgotten(place: str, wanted: list[str], named: Collection[str]) -> None:
    assert "todos" in wanted
    missing = [app for app in wanted if app not in named]
    assert missing == [], f"Add to {place}: {', '.join(missing)}."
