from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import View

from browsable.pages import OWN_SCRIPT, page


class DocsView(View):
    """Swagger UI, from this host alone."""

    open_because = "What the API is like is no secret. What is tried out there sends its own token."
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request, "browsable/docs.html", {}, policy=OWN_SCRIPT)
