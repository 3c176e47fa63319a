"""Start the production server: ``make serve``."""

from __future__ import annotations

import gc
import logging

from django.conf import settings
from django.utils.module_loading import import_string

from server.http_server import make_server
from server.preflight import (
    Address,
    exit_on_signals,
    load_settings,
    require_free,
    require_passing_checks,
    shared_metrics,
)

logger = logging.getLogger("server")


def main() -> None:
    exit_on_signals()
    load_settings()
    address = Address.from_settings()
    with shared_metrics():
        require_passing_checks(deployment=True)
        require_free(address, command="make serve")
        # Workers are forked from this process: one that replaces another must not load other code.
        for name in ("server.gateway.Gateway", *settings.MIDDLEWARE):
            import_string(name)
        # Keep the collector from writing to memory that workers share: 17 MiB less for each.
        gc.collect()
        gc.freeze()
        logger.info("Listening on http://%s, workers: %d", address, settings.WEB_CONCURRENCY)
        server = make_server(address, workers=settings.WEB_CONCURRENCY, respawn_failed_workers=True)
        server.serve()


if __name__ == "__main__":
    main()
