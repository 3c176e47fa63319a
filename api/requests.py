from __future__ import annotations

from typing import cast

from rest_framework.request import Request

from authn.users import TokenUser


def user_of(request: Request) -> TokenUser:
    """``request.user`` with its type: the framework's own hints know Django's users only.

    For views behind ``IsAuthenticated``, which is all of them.
    """
    return cast("TokenUser", request.user)
