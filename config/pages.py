"""What a browsable API has beside the API itself, in one place: without it, none of it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

STATIC_FILES = "whitenoise.middleware.WhiteNoiseMiddleware"
PAGES = "browsable.middleware.Pages"
COOKIE = "browsable.authentication.CookieAuthentication"
RENDERER = "browsable.renderers.PageRenderer"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
# What each goes inside of, as the next.
PLACES = {
    "api.cors.cors": STATIC_FILES,
    "api.middleware.problem_documents": PAGES,
    "api.middleware.AllowedHosts": CSRF,
}


def with_pages(
    middleware: Sequence[str], rest_framework: Mapping[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """The settings ``MIDDLEWARE`` and ``REST_FRAMEWORK`` of an API that browsers can use, too."""
    with_next = ([name, PLACES[name]] if name in PLACES else [name] for name in middleware)
    return (
        [*chain.from_iterable(with_next)],
        {
            **rest_framework,
            "DEFAULT_AUTHENTICATION_CLASSES": [
                *rest_framework["DEFAULT_AUTHENTICATION_CLASSES"],
                COOKIE,
            ],
            "DEFAULT_RENDERER_CLASSES": [*rest_framework["DEFAULT_RENDERER_CLASSES"], RENDERER],
        },
    )
