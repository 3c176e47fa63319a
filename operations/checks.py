"""Check settings for what must not be deployed, or not without a thought.

An error stops a start. A warning is printed and leaves the decision to the operator. No id is
given to another check. Checks with ``deploy=True`` concern ``make serve`` and ``check --deploy``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corsheaders.conf import conf as cors
from django.conf import settings
from django.core import checks
from django.db import connection

from authn.origins import is_loopback, is_plain_http, split_url

OPAQUE_ORIGINS = ("null", "file://")  # django-cors-headers accepts them besides URLs
# Some domains that give names to anybody (https://publicsuffix.org/list/).
NAMES_FOR_ANYBODY = """
    vercel.app netlify.app pages.dev workers.dev github.io gitlab.io herokuapp.com
    onrender.com up.railway.app fly.dev web.app firebaseapp.com run.app azurewebsites.net
    azurestaticapps.net amplifyapp.com cloudfront.net ondigitalocean.app surge.sh deno.dev
    ngrok.app ngrok-free.app trycloudflare.com co.uk com.au com.br co.jp
""".split()  # noqa: SIM905


@checks.register(checks.Tags.security)
def debug_with_public_hosts(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """``config.wsgi`` calls this too, because other servers run no checks."""
    public = [host for host in settings.ALLOWED_HOSTS if not is_this_machine(host)]
    if settings.DEBUG and public:
        yield checks.Error(
            f"DEBUG is on for {', '.join(public)}: anybody there can sign in as any user.",
            hint="Set DEBUG=false, or leave DJANGO_ALLOWED_HOSTS unset to develop on this machine.",
            id="api.E003",
        )


@checks.register(checks.Tags.security)
def debug_on_public_address(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    # ALLOWED_HOSTS keeps no client out: a client chooses its Host header.
    if settings.DEBUG and not is_this_machine(settings.HOST):
        yield checks.Warning(
            f"DEBUG is on and HOST is {settings.HOST}: error pages tell strangers about the "
            "code and the settings.",
            hint="Set HOST=127.0.0.1 or DEBUG=false, unless only you can reach this machine.",
            id="api.W004",
        )


@checks.register(checks.Tags.security, deploy=True)
def debug_of_a_public_server(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if settings.DEBUG and not is_this_machine(settings.HOST):
        yield checks.Error(
            f"DEBUG is on and HOST is {settings.HOST}: other people can reach this server.",
            hint="Set DEBUG=false, or HOST=127.0.0.1 to try it on this machine.",
            id="api.E011",
        )


@checks.register(checks.Tags.security, deploy=True)
def no_secret_key(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not settings.DJANGO_SECRET_KEY:
        yield checks.Error(
            "DJANGO_SECRET_KEY is not set: page cursors break at a restart and between processes.",
            hint="Set it to a long random value, the same for every process.",
            id="api.E002",
        )


@checks.register(checks.Tags.security, deploy=True)
def wildcard_hosts(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if any("*" in host for host in settings.ALLOWED_HOSTS):
        yield checks.Warning(
            'DJANGO_ALLOWED_HOSTS has a "*": clients choose the host of links.',
            hint="Name the hosts, as todos.example.com, or .example.com with all its subdomains.",
            id="api.W005",
        )


@checks.register(checks.Tags.security, deploy=True)
def wildcard_origins(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if "*" in settings.CORS_ALLOWED_ORIGINS or cors.CORS_ALLOW_ALL_ORIGINS:
        yield checks.Warning(
            "CORS_ALLOWED_ORIGINS has every origin: any page may call this API.",
            hint="Name each origin of your own, as https://app.example.com.",
            id="api.W006",
        )


@checks.register(checks.Tags.security, deploy=True)
def origins_for_anybody(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    patterns = cors.CORS_ALLOWED_ORIGIN_REGEXES
    if found := [
        name
        for name in NAMES_FOR_ANYBODY
        if any(re.match(pattern, f"https://any.{name}") for pattern in patterns)
    ]:
        yield checks.Warning(
            f"CORS_ALLOWED_ORIGINS allows every subdomain of {', '.join(found)}, and anyone can "
            "register one.",
            hint="Name the origins of your own, as https://my-app.vercel.app.",
            id="api.W012",
        )


@checks.register(checks.Tags.security, deploy=True)
def opaque_origins(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if opaque := [origin for origin in settings.CORS_ALLOWED_ORIGINS if origin in OPAQUE_ORIGINS]:
        yield checks.Warning(
            f"CORS_ALLOWED_ORIGINS has {', '.join(opaque)}: local files and sandboxed frames of "
            "every site send it.",
            hint="Remove it. Serve the page from an https origin, and name that.",
            id="api.W007",
        )


@checks.register(checks.Tags.security, deploy=True)
def plain_http_origins(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    plain = [origin for origin in settings.CORS_ALLOWED_ORIGINS if is_plain_http(origin)]
    if any(map(is_plain_http_pattern, cors.CORS_ALLOWED_ORIGIN_REGEXES)):
        plain.append("subdomains on http")
    if plain:
        yield checks.Warning(
            f"CORS_ALLOWED_ORIGINS has {', '.join(plain)}: an attacker on the network can change "
            "pages of plain http and take their tokens.",
            hint="Serve that front end over https, and name its https origin.",
            id="api.W008",
        )


@checks.register(checks.Tags.security, deploy=True)
def uncounted_processes(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    in_process = settings.CACHES["default"]["BACKEND"].endswith(".LocMemCache")
    if in_process and settings.WEB_CONCURRENCY > 1:
        yield checks.Warning(
            f"WEB_CONCURRENCY is {settings.WEB_CONCURRENCY} without CACHE_URL: each process counts "
            "for itself, so clients get that many times each allowance.",
            hint="Set CACHE_URL to a Redis that the processes share, or WEB_CONCURRENCY=1.",
            id="api.W009",
        )


@checks.register(checks.Tags.security, deploy=True)
def sqlite_on_one_of_several_machines(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """Guess from a Redis elsewhere: no process sees what other machines run."""
    redis_urls = settings.CACHES["default"].get("LOCATION", [])
    hosts = [urlsplit(url).hostname or "localhost" for url in redis_urls]
    if connection.vendor == "sqlite" and not all(map(is_this_machine, hosts)):
        yield checks.Warning(
            "DATABASE_URL is an SQLite file, and the Redis of CACHE_URL is on another machine: "
            "several servers would each have their own todos.",
            hint="Set DATABASE_URL to a PostgreSQL that all servers share, unless there is one.",
            id="api.W010",
        )


@checks.register(checks.Tags.security, deploy=True)
def sqlite_in_no_folder(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    file = Path(settings.DATABASES["default"]["NAME"])
    if connection.vendor == "sqlite" and (file.is_dir() or not file.parent.is_dir()):
        yield checks.Error(
            "DATABASE_URL names an SQLite file in a missing folder, or a folder.",
            hint="Create its folder and name a file in it: sqlite:////var/lib/todos/db.sqlite3.",
            id="api.E014",
        )


def is_this_machine(host: str) -> bool:
    """Tell if a host or a pattern of ``ALLOWED_HOSTS`` is loopback."""
    bracketed = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    parts = split_url(f"http://{bracketed}")
    return host.lower().endswith(".localhost") or (parts is not None and is_loopback(parts))


def is_plain_http_pattern(pattern: str | re.Pattern[str]) -> bool:
    """Recognise the pattern that ``config.env`` makes of ``http://*.example.com``."""
    return bool(re.match(r"\^http://.*\)\+(?!localhost(:[0-9]+)?\\Z)", str(pattern)))
