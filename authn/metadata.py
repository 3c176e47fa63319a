"""The metadata of this API for OAuth clients (RFC 9728): who issues access tokens for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from authn.conf import METADATA_PATH, get_config

# Clients in a browser read it from any origin. Some send MCP-Protocol-Version, for which the
# browser asks with OPTIONS first (https://modelcontextprotocol.io/specification).
CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*",
}


@login_not_required
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def protected_resource(request: HttpRequest, scopes: Iterable[str] = ()) -> HttpResponse:
    """Answer with the metadata of OAUTH_RESOURCE.

    Raises ``Http404`` for another path, and without OAUTH_RESOURCE. ``scopes`` are those that the
    project knows.
    """
    metadata = resource_metadata(request.path_info, scopes)
    if metadata is None:
        raise Http404
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=CROSS_ORIGIN)
    return JsonResponse(metadata, headers=CROSS_ORIGIN)


def resource_metadata(path: str, scopes: Iterable[str]) -> dict[str, Any] | None:
    """Return the metadata that ``path`` names, or ``None``.

    Some clients look second at the path without that of the resource. Raises ``NotConfigured``.
    """
    config = get_config()
    paths = (METADATA_PATH, unquote(urlsplit(config.resource_metadata_url).path))
    if not config.resource or path.rstrip("/") not in paths:
        return None
    metadata: dict[str, Any] = {
        "resource": config.resource,
        "authorization_servers": [config.access_token_issuer],
        "bearer_methods_supported": ["header"],
    }
    if supported := list(scopes):
        metadata["scopes_supported"] = supported
    return metadata
