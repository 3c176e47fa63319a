"""The verifier works without Django and DRF."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["authn", "authn.verifier", "authn.testing.issuers", "authn.testing.fixtures", "authn.users"],
)
def test_the_core_imports_neither_django_nor_drf(module: str) -> None:
    code = f"import sys, {module}; print({{'django', 'rest_framework'}} & {{*sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"
