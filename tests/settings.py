"""The project's settings without an ``ENV_FILE``, so that no developer's file takes part."""

from __future__ import annotations

import os

os.environ["ENV_FILE"] = ""

from config.settings import *  # noqa: F403
