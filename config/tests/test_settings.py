"""Settings read from an environment alone."""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from django.test import Client
from pytest_django import Settings

from config import env as environment
from tests.support.settings import run, settings_of

SECRET = "x" * 32
FLAGS = ["DEBUG", "BROWSABLE_API", "REQUIRE_IF_MATCH"]
NO_RATES = ["600", "0/min", "-1/min", "600/m", "600/day", "1.5/s", "5/s\n"]
NO_PROXIES = ["-1", "one", "1.0", "21", "99", "1_0", "+5", " 5 ", "\uff15"]
NO_PROCESSES = ["0", "-1", "auto", "1.5", "1025", "100000"]


class Read(Protocol):
    def __call__(self, reader: Any, value: str) -> Any:
        """Have ``reader`` read ``value`` from the variable ``X``."""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    def read_value(reader: Any, value: str) -> Any:
        monkeypatch.setitem(environment.ENVIRONMENT, "X", value)
        return reader("X")

    return read_value


def value_of(name: str, **environment: str) -> str:
    """Return the value of an expression about one setting, such as ``CACHES['default']``."""
    return str(eval(name, settings_of(**environment)))


def complaint(**environment: str) -> str:
    """Return the error of an import of the settings."""
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(**environment)
    return str(caught.value)


def test_an_empty_environment_is_safe() -> None:
    assert value_of("DEBUG") == "False"
    assert value_of("ALLOWED_HOSTS") == "[]"
    assert len(value_of("SECRET_KEY")) >= 50
    assert value_of("SECRET_KEY") != value_of("SECRET_KEY")


@pytest.mark.parametrize(
    ("environment", "setting", "value"),
    [
        ({"REQUIRE_IF_MATCH": "true"}, "REQUIRE_IF_MATCH", "True"),
        ({"REQUIRE_IF_MATCH": ""}, "REQUIRE_IF_MATCH", "False"),
        ({"DEBUG": "", "BROWSABLE_API": ""}, "BROWSABLE_API", "False"),
        ({"DEBUG": "true", "BROWSABLE_API": ""}, "BROWSABLE_API", "True"),
        ({"DEBUG": "true", "BROWSABLE_API": "false"}, "BROWSABLE_API", "False"),
        ({"DEBUG": "", "BROWSABLE_API": "true"}, "BROWSABLE_API", "True"),
        ({"BETTER_AUTH_LEEWAY": ""}, "BETTER_AUTH_LEEWAY", "30"),
        ({"BETTER_AUTH_ALLOW_HTTP": ""}, "BETTER_AUTH_ALLOW_HTTP", "False"),
        ({"BETTER_AUTH_AUDIENCE": " todos, api ,"}, "BETTER_AUTH_AUDIENCE", "['todos', 'api']"),
        ({"LOG_LEVEL": ""}, "LOG_LEVEL", "INFO"),
        ({"DATABASE_URL": ""}, "DATABASES['default']['ENGINE']", "django.db.backends.sqlite3"),
        ({"CACHE_URL": ""}, "CACHES['default']['BACKEND'][-11:]", "LocMemCache"),
        ({"THROTTLE_USER": ""}, "THROTTLE_USER", "(600, 60)"),
        ({"THROTTLE_USER": "5/s"}, "THROTTLE_USER", "(5, 1)"),
        ({"THROTTLE_USER": "600/min"}, "THROTTLE_USER", "(600, 60)"),
        ({"THROTTLE_USER": "10000/h"}, "THROTTLE_USER", "(10000, 3600)"),
        ({"THROTTLE_ANON": ""}, "THROTTLE_ANON", "(120, 60)"),
        ({"THROTTLE_REFUSED": ""}, "THROTTLE_REFUSED", "(30, 60)"),
        ({"NUM_PROXIES": ""}, "NUM_PROXIES", "0"),
        ({"WEB_CONCURRENCY": ""}, "WEB_CONCURRENCY", "1"),
        ({"HOST": ""}, "HOST", "127.0.0.1"),
        ({"PORT": ""}, "PORT", "8000"),
        ({"DJANGO_ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS", "[]"),
    ],
    ids=str,
)
def test_a_variable_sets_a_value_and_a_blank_counts_as_unset(
    environment: dict[str, str], setting: str, value: str
) -> None:
    assert value_of(setting, **environment) == value


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        *((name, "ture", "must be true or false.") for name in FLAGS),
        *(("THROTTLE_ANON", rate, "must be a number and a time") for rate in NO_RATES),
        *(("NUM_PROXIES", number, "must be") for number in NO_PROXIES),
        *(("WEB_CONCURRENCY", number, "must be") for number in NO_PROCESSES),
    ],
)
def test_an_invalid_value_is_refused_by_its_name(name: str, value: str, reason: str) -> None:
    assert complaint(**{name: value}).startswith(f"{name} {reason}")


@pytest.mark.parametrize(
    ("name", "value"),
    [("CORS_ALLOWED_ORIGINS", "app.example.com"), ("DJANGO_ALLOWED_HOSTS", "a.example:80")],
)
def test_an_invalid_item_of_a_list_is_refused_by_its_number(name: str, value: str) -> None:
    assert complaint(**{name: value}).startswith(f"Item 1 of {name} is")


def test_a_connection_to_postgresql_is_kept_checked_and_limited() -> None:
    database = settings_of(DATABASE_URL="postgres://u:p@h/db")["DATABASES"]["default"]
    assert database["ENGINE"] == "database.postgresql"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (600, True)
    assert database["DISABLE_SERVER_SIDE_CURSORS"]  # a pooler in transaction mode loses them
    assert database["OPTIONS"] == {  # without prepare_threshold: the backend prepares nothing
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "options": "-c statement_timeout=10s -c lock_timeout=5s "
        "-c idle_in_transaction_session_timeout=30s",
    }


@pytest.mark.parametrize("typo", ["ture", "enabled", "-", "2", "truefalse", "none"])
def test_a_misspelt_boolean_is_refused(read: Read, typo: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X must be true or false\.$"):
        read(environment.flag, typo)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, True) for value in ("true", "True", "1", "on", "yes", "y", "ok", " true\n")),
        *((value, False) for value in ("false", "FALSE", "0", "off", "no", "n", "", " ")),
    ],
)
def test_a_flag_is_on_or_off(read: Read, value: str, expected: bool) -> None:
    assert read(environment.flag, value) is expected


@pytest.mark.parametrize(
    ("value", "header"),
    [("true", "max-age=31536000; includeSubDomains"), ("", "max-age=31536000")],
)
def test_hsts_covers_subdomains_only_with_its_setting(
    read: Read, settings: Settings, anonymous: Client, value: str, header: str
) -> None:
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = read(environment.flag, value)
    response = anonymous.get("/healthz", secure=True)
    assert response["Strict-Transport-Security"] == header
    name = "SECURE_HSTS_INCLUDE_SUBDOMAINS"
    assert value_of(name, **{name: value}) == str(bool(value))


def test_without_browsable_api_no_part_of_the_pages_is_configured() -> None:
    without, pages = settings_of(), settings_of(BROWSABLE_API="true")
    assert {*pages["MIDDLEWARE"]} - {*without["MIDDLEWARE"]} == {
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "browsable.middleware.Pages",
        "django.middleware.csrf.CsrfViewMiddleware",
    }
    before, after = without["REST_FRAMEWORK"], pages["REST_FRAMEWORK"]
    for name, added in (
        ("AUTHENTICATION", "browsable.authentication.CookieAuthentication"),
        ("RENDERER", "browsable.renderer.PageRenderer"),
    ):
        setting = f"DEFAULT_{name}_CLASSES"
        assert after.pop(setting) == [*before.pop(setting), added]
    assert after == before


@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "BETTER_AUTH_SECRET"])
def test_a_leading_dollar_of_a_secret_is_kept(name: str) -> None:
    secret = "$HOME" + "x" * 60
    assert value_of(name.replace("DJANGO_", ""), **{name: secret}) == secret


@pytest.mark.live
@pytest.mark.parametrize(("log_format", "start"), [("console", "20"), ("json", "{")])
def test_log_format_selects_text_or_json(log_format: str, start: str) -> None:
    code = "import django, logging; django.setup(); logging.getLogger('x').warning('y')"
    assert run(code, LOG_FORMAT=log_format).stderr.startswith(start)


@pytest.mark.live
def test_log_level_holds_for_every_logger() -> None:
    code = "import django, logging; django.setup(); logging.getLogger('django.x').warning('y')"
    assert run(code, LOG_LEVEL="WARNING").stderr
    assert not run(code, LOG_LEVEL="ERROR").stderr


@pytest.mark.live
@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_vendor_of_the_postgresql_backend_is_postgresql(scheme: str) -> None:
    code = "import django; django.setup(); from django.db import connection as c; print(c.vendor)"
    assert run(code, DATABASE_URL=f"{scheme}://u:p@h/db").stdout.strip() == "postgresql"


@pytest.mark.parametrize("token", ["x" * 31, "x" * 31 + "é", "x" * 32 + "\n", f"{'x' * 31} y"])
def test_a_short_or_unsendable_metrics_token_is_refused(token: str) -> None:
    complaint_made = complaint(METRICS_TOKEN=token)
    assert complaint_made.startswith("METRICS_TOKEN must be 32 characters or more")
    assert token not in complaint_made
    assert value_of("METRICS_TOKEN", METRICS_TOKEN="a" * 32 + "=") == "a" * 32 + "="


@pytest.mark.parametrize(
    "host",
    [
        "https://todos.example.com",
        "todos.example.com:8000",
        "todos.example.com/",
        "todos.example.com todos2.example.com",
        "*.example.com",
        "todos.example.com.",
        "..example.com",
        "todos_1",
        "bücher.example",
        "::1",
    ],
)
def test_an_allowed_host_that_matches_no_request_is_refused(read: Read, host: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^Item 2 of X is not a host: "):
        read(environment.hosts, f"localhost,{host}")


@pytest.mark.parametrize(
    "host", ["todos.example.com", ".example.com", "*", "10.0.0.1", "[::1]", "TODOS", "xn--a-1"]
)
def test_an_allowed_host_may_be_a_name_a_domain_or_an_address(read: Read, host: str) -> None:
    assert read(environment.hosts, f" {host} ,") == [host]
    expected = host.lower().replace("*", "any.example").removeprefix(".")
    assert validate_host(expected, [host])


@pytest.mark.parametrize(
    ("item", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://App.Example.com", "https://app.example.com"),
        ("HTTPS://app.example.com/", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("https://app.example.com:08443", "https://app.example.com:8443"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("Capacitor://localhost:08080", "capacitor://localhost:8080"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("null", "null"),
        ("*", "*"),
    ],
)
def test_a_cors_origin_is_written_like_browsers_do(read: Read, item: str, origin: str) -> None:
    assert read(environment.origins, item) == ([origin], [])


@pytest.mark.parametrize(
    "item",
    [
        "https://bücher.example",
        "app.example.com",
        "//app.example.com",
        "https://app.example.com/path",
        "https://user@app.example.com",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "moz-extension://x:70000",
        "moz-extension://x:0",
        "https://app.example.com:port",
        "https://a.example https://b.example",
        "https://*",
        "https://*.com",
        "https://*.*.example.com",
        "https://app-*.example.com",
        "https://*example.com",
        "https://*.0.0.1",
        "https://[::g]",
        "https://[::1::]",
        "https://app.example.com.",
        "https://127.1",
        "https://1.2.3",
        "https://0x7f.0.0.1",
        "https://192.168.1.300",
        "https://",
        "null.",
    ],
)
def test_a_cors_origin_that_no_browser_sends_is_refused(read: Read, item: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^Item 2 of X is not an origin: "):
        read(environment.origins, f"null,{item}")


@pytest.mark.parametrize(
    ("item", "origin", "expected"),
    [
        ("https://*.example.com", "https://app.example.com", True),
        ("https://*.Example.com:443", "https://a.b.example.com", True),
        ("https://*.example.com:8443", "https://app.example.com:8443", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "http://app.example.com", False),
        ("https://*.example.com", "https://app.example.com:8443", False),
        ("https://*.example.com", "https://app.example.com.evil.example", False),
        ("https://*.example.com", "https://evil.example/app.example.com", False),
        ("https://*.example.com", "https://evil.example#app.example.com", False),
        ("https://*.example.com", "https://appexample.com", False),
        ("https://*.example.com", "https://app.example-com", False),
        ("https://*.example.com", "https://app.example.com\n", False),
        ("https://*.example.com", "https://.example.com", False),
        ("https://*.example.com", "evil https://app.example.com", False),
    ],
)
def test_a_star_in_a_cors_origin_matches_subdomains_alone(
    read: Read, anonymous: Client, settings: Settings, item: str, origin: str, expected: bool
) -> None:
    exact, settings.CORS_ALLOWED_ORIGIN_REGEXES = read(environment.origins, item)
    assert not exact
    response = anonymous.get("/healthz", headers={"origin": origin})
    assert ("Access-Control-Allow-Origin" in response) is expected


@pytest.mark.live
def test_wsgi_refuses_to_load_without_a_source_of_keys() -> None:
    result = run("import config.wsgi")
    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert "NotConfigured" in last_line
    assert "BETTER_AUTH_URL" in last_line
    assert "BETTER_AUTH_SECRET" in last_line


@pytest.mark.live
@pytest.mark.parametrize(
    "environment", [{"BETTER_AUTH_SECRET": SECRET}, {"BETTER_AUTH_URL": "https://app.example.com"}]
)
def test_wsgi_loads_with_either_source_of_keys(environment: dict[str, str]) -> None:
    assert run("import config.wsgi", **environment).returncode == 0


@pytest.mark.live
def test_wsgi_refuses_to_load_with_debug_for_public_hosts() -> None:
    environment = {"BETTER_AUTH_SECRET": SECRET, "DEBUG": "true"}
    assert run("import config.wsgi", **environment).returncode == 0
    result = run("import config.wsgi", **environment, DJANGO_ALLOWED_HOSTS="todos.example.com")
    assert result.returncode != 0
    assert "ImproperlyConfigured: DEBUG is on for todos.example.com" in result.stderr


@pytest.mark.live
def test_the_verifier_imports_neither_django_nor_drf() -> None:
    code = (
        "import sys, authn.verifier, authn.users; "
        "assert not {'django', 'rest_framework'} & set(sys.modules), 'imported'"
    )
    result = run(code)
    assert result.returncode == 0, result.stderr


@pytest.mark.live
def test_the_authenticator_is_importable_as_authn_jwtauthentication() -> None:
    code = "import django; django.setup(); from authn import JWTAuthentication as A; print(A)"
    assert "authn.authentication.JWTAuthentication" in run(code).stdout
    assert run("import authn; authn.nonsense").returncode != 0


def test_public_url_sets_prefix_origin_and_servers() -> None:
    origin, prefix = "https://app.example.com", "/backend"
    url = {"PUBLIC_URL": f"{origin}{prefix}/"}
    assert value_of("FORCE_SCRIPT_NAME", **url) == prefix
    assert value_of("STATIC_URL", **url) == f"{prefix}/static/"
    assert value_of("CSRF_COOKIE_PATH", **url) == f"{prefix}/api"
    assert value_of("CSRF_TRUSTED_ORIGINS", **url) == f"['{origin}']"
    assert value_of("SPECTACULAR_SETTINGS['SERVERS']", **url) == f"[{{'url': '{origin}{prefix}'}}]"
    assert complaint(PUBLIC_URL="/backend").startswith("PUBLIC_URL must be http")
