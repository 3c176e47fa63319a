"""The version of the package, which the build reads and each fetch sends."""

from __future__ import annotations

VERSION = "0.4.0"  # CHANGELOG.md names it
