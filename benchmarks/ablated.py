"""This project as ``make serve`` serves it, without the piece that ``ABLATION`` names.

``python -m benchmarks.ablated`` starts the server, whose workers import ``application``.
"""

from __future__ import annotations

import os
from typing import Any

from benchmarks.pieces import PIECES, replace
from server import __main__ as production
from server import http_server
from server.preflight import load_settings


def main() -> None:
    granian = vars(http_server)["Granian"]

    def serving_this(target: str, **options: Any) -> Any:
        return granian("benchmarks.ablated:application", **options)

    replace(http_server, Granian=serving_this)
    production.main()


if __name__ == "__main__":
    main()
else:
    load_settings()
    PIECES[os.environ["ABLATION"]].put_back()
    from server.asgi import application as application
