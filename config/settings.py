"""All settings. ``docs/settings.md`` describes each variable of the environment.

An empty environment gives safe values, not convenient ones.
"""

from __future__ import annotations

from typing import Any

from corsheaders.defaults import default_headers
from django.core.management.utils import get_random_secret_key

from config.connections import cache, database
from config.env import (
    BASE_DIR,
    choice,
    flag,
    hosts,
    items,
    origins,
    public_url,
    rate,
    secret,
    text,
    whole_number,
)
from operations.logging import no_requests, only_crashes, shorten

DEBUG = flag("DEBUG")
DJANGO_SECRET_KEY = text("DJANGO_SECRET_KEY")
# A random key is safe, but a page cursor then works in the process that signed it alone.
SECRET_KEY = DJANGO_SECRET_KEY or get_random_secret_key()
ALLOWED_HOSTS = hosts("DJANGO_ALLOWED_HOSTS")
# A proxy removes the path, and Django writes it before each of its own paths.
PUBLIC_ORIGIN, PUBLIC_PATH = public_url("PUBLIC_URL")
FORCE_SCRIPT_NAME = PUBLIC_PATH or None
CSRF_TRUSTED_ORIGINS = [PUBLIC_ORIGIN] if PUBLIC_ORIGIN else []
# A client that forges this header changes the links in its own response alone.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
HOST = text("HOST", "127.0.0.1")
PORT = text("PORT", "8000")
WORKER_THREADS = 4  # for requests; each of them, and /readyz, keeps a database connection
HEADER_SECONDS = 20  # to wait for a request, on a new connection and on a kept one
BODY_SECONDS = 30  # for the whole body of a request to arrive
STOP_SECONDS = 30  # for requests that are being answered at the end
SEARCH_SECONDS = 2.0  # for a statement that reads a list
WEB_CONCURRENCY = whole_number("WEB_CONCURRENCY", default=1, allowed=range(1, 1025))
CORS_ALLOWED_ORIGINS, CORS_ALLOWED_ORIGIN_REGEXES = origins("CORS_ALLOWED_ORIGINS")
# Tracers of a front end add these to each request. The API ignores them.
TRACING_HEADERS = ("baggage", "sentry-trace", "traceparent", "tracestate", "x-request-id")
# The metadata for OAuth clients is for every origin: its view answers preflights.
CORS_URLS_REGEX = r"/(?!\.well-known/oauth-protected-resource)"
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    *TRACING_HEADERS,
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
]

TRASH_DAYS = whole_number("TRASH_DAYS", default=30, allowed=range(1, 3651))
REQUIRE_IF_MATCH = flag("REQUIRE_IF_MATCH")
BROWSABLE_API = flag("BROWSABLE_API", default=DEBUG)

BETTER_AUTH_URL = text("BETTER_AUTH_URL")
BETTER_AUTH_JWKS_URL = text("BETTER_AUTH_JWKS_URL")
BETTER_AUTH_ISSUER = text("BETTER_AUTH_ISSUER")
BETTER_AUTH_AUDIENCE = items("BETTER_AUTH_AUDIENCE")
BETTER_AUTH_ALGORITHMS = items("BETTER_AUTH_ALGORITHMS")
BETTER_AUTH_SECRET = text("BETTER_AUTH_SECRET")
BETTER_AUTH_SECRETS = text("BETTER_AUTH_SECRETS")
BETTER_AUTH_ALLOW_HTTP = flag("BETTER_AUTH_ALLOW_HTTP")
BETTER_AUTH_LEEWAY = whole_number("BETTER_AUTH_LEEWAY", default=30, allowed=range(301))
BETTER_AUTH_REALM = "todos"
OAUTH_RESOURCE = text("OAUTH_RESOURCE")

THROTTLE_USER = rate("THROTTLE_USER", default="600/min")
THROTTLE_ANON = rate("THROTTLE_ANON", default="120/min")
THROTTLE_REFUSED = rate("THROTTLE_REFUSED", default="30/min")
NUM_PROXIES = whole_number("NUM_PROXIES", default=0, allowed=range(21))

INSTALLED_APPS = [
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "authn",
    "api",
    "operations",
    "lists",
    "todos",
    "browsable",
]
MIDDLEWARE = [
    "operations.request_id.request_id",
    "operations.request_log.request_log",
    "operations.metrics.count_answers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "api.security_headers.security_headers",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.throttling.middleware.rate_limit_fields",  # sees the final response
    "browsable.middleware.Pages",  # shows the problem documents of the next
    "api.errors.middleware.problem_documents",  # outside every middleware that refuses
    "operations.middleware.operations",
    "api.throttling.middleware.address_allowances",
    "api.errors.middleware.refusals",  # inside the middleware that counts them
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "api.optional_slash.optional_slash",
]
if not BROWSABLE_API:
    MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")
    MIDDLEWARE.remove("browsable.middleware.Pages")
    MIDDLEWARE.remove("django.middleware.csrf.CsrfViewMiddleware")
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a redirect would lose the body and, in some clients, the token
TEST_RUNNER = "tests.runner.PytestRunner"

DATABASES = {"default": database("DATABASE_URL", default=BASE_DIR / "db.sqlite3")}
CACHES = {"default": cache("CACHE_URL")}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.throttling.throttles.ThrottledAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.HasScopeOfMethod"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.throttles.UserThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.bodies.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.bodies.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.bodies.renderers.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "api.openapi.Schema",
    "EXCEPTION_HANDLER": "api.errors.handler.exception_handler",
    "UNAUTHENTICATED_USER": "authn.users.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}
if BROWSABLE_API:
    REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"].append(
        "browsable.authentication.CookieAuthentication"
    )
    REST_FRAMEWORK["DEFAULT_RENDERER_CLASSES"].append("browsable.renderer.PageRenderer")
SPECTACULAR_SETTINGS = {
    "TITLE": "Todos",
    "DESCRIPTION": "Todos for users who sign in with Better Auth. Each user reads and changes "
    "only their own. Every error is a problem document (RFC 9457).",
    "VERSION": "1",
    "TAGS": [  # api.owned.openapi adds one for each resource
        {"name": "root", "description": "The addresses of everything else."},
        {"name": "me", "description": "The user that a token is for."},
    ],
    "OAS_VERSION": "3.1.1",
    "SERVERS": [
        {"url": f"{PUBLIC_ORIGIN}{PUBLIC_PATH}"}
        if PUBLIC_ORIGIN
        else {"url": "/", "description": "The host that serves this document."}
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    # The document leaves out the pages.
    "AUTHENTICATION_WHITELIST": [
        "api.throttling.throttles.ThrottledAuthentication",
        "authn.JWTAuthentication",
    ],
    "OAUTH2_SCOPES": {
        "todos:read": "Read your todos and lists",
        "todos:write": "Create, change and delete your todos and lists",
    },
    "RENDERER_WHITELIST": ["api.bodies.renderers.JSONRenderer"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_SUFFIX": "",
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # a test makes the document, so a start need not
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.owned.openapi.overlay",
        "todos.openapi.overlay",
    ],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

USE_I18N = False
TIME_ZONE = "UTC"

CSRF_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_NAME = "todos_csrftoken"  # another application of this host may have its own
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_PATH = f"{PUBLIC_PATH}/api"  # also of the cookie with the token
CSRF_FAILURE_VIEW = "browsable.login.csrf_failure"
STATIC_URL = f"{PUBLIC_PATH}/static/"
WHITENOISE_USE_FINDERS = True  # the files are in the packages, and few
WHITENOISE_ALLOW_ALL_ORIGINS = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "browsable.menu.menu",
            ]
        },
    }
]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("SECURE_HSTS_INCLUDE_SUBDOMAINS")
SILENCED_SYSTEM_CHECKS = [
    # A redirect from http to https would hide that a client sends its token in the clear.
    "security.W008",
    # Only the pages accept a cookie, and BROWSABLE_API turns CsrfViewMiddleware on with them.
    "security.W003",
    # Subdomains and preloading are decisions for the owner of the whole domain.
    "security.W005",
    "security.W021",
]

METRICS_TOKEN = secret("METRICS_TOKEN")
LOG_LEVEL = choice("LOG_LEVEL", of=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
LOG_FORMAT = choice("LOG_FORMAT", of=("CONSOLE", "JSON"), default="CONSOLE")
CAUSED_BY_CLIENTS = (
    "DisallowedHost",
    "DisallowedRedirect",
    "RequestDataTooBig",
    "TooManyFieldsSent",
    "csrf",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "console": {"()": "operations.logging.ConsoleFormatter"},
        "json": {"()": "operations.logging.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "operations.logging.StandardErrorHandler",
            "formatter": LOG_FORMAT.lower(),
            "level": LOG_LEVEL,
        },
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        # operations.request_log logs the outcome of each request; these are the tracebacks.
        "django.request": {"level": "ERROR", "filters": [only_crashes]},
        # Keep runserver from logging each request again, with its query.
        "django.server": {"filters": [no_requests], "propagate": True},
        **{f"django.security.{name}": {"filters": [shorten]} for name in CAUSED_BY_CLIENTS},
    },
}
