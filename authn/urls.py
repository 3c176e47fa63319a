"""The metadata of this API for OAuth clients, below the root of its host (RFC 9728 section 3.1).

``path("", include("authn.urls"), {"scopes": ["todos:read", "todos:write"]})``

Pages of every origin may read the metadata. A middleware that answers preflights, like that of
django-cors-headers, must leave the path of the metadata out (CORS_URLS_REGEX).
"""

from __future__ import annotations

import re

from django.urls import re_path

from authn.conf import METADATA_PATH
from authn.metadata import protected_resource

urlpatterns = [re_path(rf"^{re.escape(METADATA_PATH[1:])}(?:/.*)?$", protected_resource)]
