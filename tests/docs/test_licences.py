"""``docs/licences.md`` has every package that runs, under the licence that it says it has."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import pytest

from tests.support.licences import LICENCES, requirements

# What some packages call theirs. Which BSD licence it is stands in the text that they bring along.
SPDX = {
    "Apache 2": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
# Its metadata has one of the two texts that it brings along.
ALSO = {"uvloop": "MIT OR Apache-2.0"}
HARMLESS = {
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
    """The SPDX expression, or what older metadata has in its place."""
    classifiers = package.get_all("Classifier", [])
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    said = package.get("License-Expression") or package.get("License") or " OR ".join(named)
    return ALSO.get(package["Name"], SPDX.get(said, said))


def test_every_package_is_listed() -> None:
    assert LICENCES.keys() == requirements().keys()


@pytest.mark.parametrize("name", LICENCES)
def test_it_has_the_licence_that_it_is_listed_with(name: str) -> None:
    try:
        package = metadata(name)
    except PackageNotFoundError:
        assert "python_full_version" in requirements()[name], f"{name} is not installed"
    else:
        assert licence_of(package) == LICENCES[name]


def test_none_asks_for_the_source_of_what_uses_it() -> None:
    for name, licence in LICENCES.items():
        assert {*re.split(" OR | AND ", re.sub("[()]", "", licence))} <= HARMLESS, name
