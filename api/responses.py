from __future__ import annotations

from rest_framework import response


class Response(response.Response):
    """The framework's, which need not look for its charset each time that it is written."""

    charset = "utf-8"
