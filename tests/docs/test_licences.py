"""``docs/licences.md`` lists every package that runs, with the licence of its metadata."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import pytest

from tests.support.licences import LICENCES, requirements

# Name in the metadata -> SPDX. The licence texts of the packages say which BSD licence it is.
SPDX = {
    "Apache 2": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
# The metadata names one of two licence texts.
SEVERAL = {"uvloop": "MIT OR Apache-2.0"}
PERMITTED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "LGPL-3.0-only",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
}


def licence_of(package: Any) -> str:
    """The SPDX expression, or the classifier of older metadata."""
    classifiers = package.get_all("Classifier", [])
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    said = package.get("License-Expression") or package.get("License") or " OR ".join(named)
    return SEVERAL.get(package["Name"], SPDX.get(said, said))


def test_every_package_is_listed() -> None:
    assert LICENCES.keys() == requirements().keys()


@pytest.mark.parametrize("name", LICENCES)
def test_a_package_has_the_listed_licence(name: str) -> None:
    try:
        package = metadata(name)
    except PackageNotFoundError:
        assert "python_full_version" in requirements()[name], f"{name} is not installed"
    else:
        assert licence_of(package) == LICENCES[name]


def test_every_licence_is_permitted() -> None:
    for name, licence in LICENCES.items():
        assert {*re.split(" OR | AND ", re.sub("[()]", "", licence))} <= PERMITTED, name
