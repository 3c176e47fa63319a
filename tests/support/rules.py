"""The rule of a route. An app declares its own in ``<app>/tests/routes.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.owned.models import OwnedModel

READ = {"GET": 200, "HEAD": 200, "OPTIONS": 200}


@dataclass(frozen=True, slots=True)
class Rule:
    """``answers`` has the status of each method. The answer to any other method is 405."""

    answers: Mapping[str, int]
    body: str = ""
    model: type[OwnedModel] | None = None  # of the rows that the answers are about
