"""An app of this project is named in every file that has a list of apps."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from typing import Any

import pytest
from django.conf import settings

from api.owned.registry import owned_models
from tests.support.apps import rooms
from tests.support.pages import read

APPS = rooms("apps.py", "models.py")
OF_OWNERS = [str(model._meta.app_config.name) for model in owned_models()]
IMPORTS = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]


def contract(start: str) -> Any:
    """Return the import contract whose name starts so."""
    return next(each for each in IMPORTS["contracts"] if each["name"].startswith(start))


@pytest.mark.parametrize(
    ("place", "wanted", "named"),
    [
        ("INSTALLED_APPS of config/settings.py", APPS, settings.INSTALLED_APPS),
        ("root_packages of pyproject.toml", rooms(), IMPORTS["root_packages"]),
        (
            "the first layers of pyproject.toml",
            rooms(),
            re.findall(r"\w+", " ".join(contract("server -> config")["layers"])),
        ),
        (
            'the contract "Only authn authenticates" of pyproject.toml',
            OF_OWNERS,
            contract("Only authn authenticates")["source_modules"],
        ),
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
    ids=["settings", "packages", "layers", "authn", "dockerfile", "dockerignore"],
)
def test_no_app_is_forgotten(place: str, wanted: list[str], named: Collection[str]) -> None:
    assert "todos" in wanted
    missing = [app for app in wanted if app not in named]
    assert missing == [], f"Add to {place}: {', '.join(missing)}."
