"""The project's settings for its suite: no ``ENV_FILE``, no throttling, no option turned on."""

from __future__ import annotations

import os

os.environ["ENV_FILE"] = ""

from config.connections import MEMORY_CACHE
from config.settings import *  # noqa: F403

UNLIMITED = (1_000_000_000, 3600)

BETTER_AUTH_SECRETS = ""
CACHES = {"default": MEMORY_CACHE}
CORS_ALLOWED_ORIGINS = []
CORS_ALLOWED_ORIGIN_REGEXES = []
FORCE_SCRIPT_NAME = None
METRICS_TOKEN = ""
NUM_PROXIES = 0
OAUTH_RESOURCE = ""
PUBLIC_ORIGIN = ""
REQUIRE_IF_MATCH = False
THROTTLE_ANON = THROTTLE_REFUSED = THROTTLE_USER = UNLIMITED
