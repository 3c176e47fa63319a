"""The configurations of ``docs/proxies.md`` in front of a running server.

Needs nginx, Caddy, nftables and user namespaces; run with ``pytest -m live``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from authn.testing import SECRET
from tests.faults.stub_issuer import stub_issuer
from tests.support.pages import texts
from tests.support.processes import Answer, Api, Servers, run
from tests.support.proxies import HOST, Proxy, caddy, changed, nginx

pytestmark = pytest.mark.live

NGINX, NGINX_PREFIX, NO_TRANSFORM = texts("docs/proxies.md", "nginx")
CADDY, CADDY_PREFIX = texts("docs/proxies.md", "caddy")
(NFT,) = texts("docs/proxies.md", "nft")
# Function that starts the proxy, its configuration, the first line of the part that serves the
# API at the root, and the replacement of that part for a path prefix.
PAGES = {
    "nginx": (nginx, NGINX, "    location /metrics", f"{NGINX_PREFIX}}}\n"),
    "caddy": (caddy, CADDY, f"{HOST} {{", CADDY_PREFIX),
}
PUBLIC_URL = f"https://{HOST}/backend"
METRICS_TOKEN = "a-token-of-the-operators-own-0123456789"
GZIP = {"Accept-Encoding": "gzip"}
MAX_TOKEN_CHARACTERS = 8192
REFUSALS = 3  # of one address in an hour
IDLE_CLIENTS = 200
SLOW_CLIENTS = 50
MANY_CLIENTS = 1000  # nginx has 768 places in Debian's configuration
QUICK_SECONDS = 2.0  # on a busy machine
# Fields of one hop, and fields that differ with each answer.
OWN_FIELDS = {"connection", "date", "keep-alive", "server", "x-request-id", "ratelimit"}


@pytest.fixture(scope="module")
def api(servers: Servers) -> Api:
    return behind_a_proxy(servers)


def behind_a_proxy(servers: Servers, **environment: str) -> Api:
    return servers.api(
        secret=SECRET,
        DJANGO_ALLOWED_HOSTS=f"127.0.0.1,{HOST}",
        NUM_PROXIES="1",
        METRICS_TOKEN=METRICS_TOKEN,
        THROTTLE_USER="1000000/min",
        THROTTLE_ANON="1000000/min",
        THROTTLE_REFUSED=f"{REFUSALS}/h",
        **environment,
    )


@pytest.fixture(scope="module", params=PAGES)
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, api: Api
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    with started(request.param, folder, api) as proxy:
        yield proxy


@contextmanager
def started(name: str, folder: Path, api: Api, *, prefix: bool = False) -> Iterator[Proxy]:
    """A proxy with the configuration of the page."""
    start, page, at_root, below = PAGES[name]
    if prefix:
        page = changed(page, old=page[page.index(at_root) :], new=below)
    with start(folder, page, api.port) as proxy:
        yield proxy


def create(proxy: Proxy, token: str, title: str = "Buy milk") -> Answer:
    answer = proxy.send("POST", "/api/todos/", token, {"title": title}, **GZIP)
    assert answer.status == 201, answer.body
    return answer


def assert_served(proxy: Proxy, token: str, source: str = "127.0.0.1") -> None:
    for _ in range(5):
        start = time.monotonic()
        assert create(proxy, token).status == 201
        assert proxy.send("GET", "/api/todos/?limit=1", token, source=source).status == 200
        assert time.monotonic() - start < QUICK_SECONDS


class TestConditionalRequests:
    def test_if_match_accepts_the_etag_of_an_answer(self, proxy: Proxy, token: str) -> None:
        made = create(proxy, token)
        path, etag = urlsplit(made.headers["location"]).path, made.headers["etag"]
        assert etag == made.data["etag"]
        assert etag.startswith('"')
        assert proxy.send("GET", path, token, None, **GZIP).headers["etag"] == etag
        assert proxy.send("GET", path, token, None, **GZIP, **{"If-None-Match": etag}).status == 304
        change = {"priority": "high"}
        changed = proxy.send("PATCH", path, token, change, **GZIP, **{"If-Match": etag})
        assert changed.status == 200
        late = proxy.send("PATCH", path, token, change, **GZIP, **{"If-Match": etag})
        assert late.outcome == "412 precondition_failed"
        fresh = {"If-Match": changed.headers["etag"]}
        assert proxy.send("DELETE", path, token, None, **GZIP, **fresh).status == 204

    def test_nginx_weakens_etags_with_compression(
        self, tmp_path: Path, api: Api, token: str
    ) -> None:
        page = changed(NGINX, old="    gzip off;", new="    gzip on;")
        with nginx(tmp_path, page, api.port) as proxy:
            path = urlsplit(create(proxy, token).headers["location"]).path
            weak = proxy.send("GET", path, token, None, **GZIP).headers["etag"]
            assert weak.startswith('W/"')
            late = proxy.send("DELETE", path, token, None, **{"If-Match": weak})
            assert late.outcome == "412 precondition_failed"

    def test_nginx_can_add_no_transform(self, tmp_path: Path, api: Api, token: str) -> None:
        page = changed(NGINX, old="    gzip off;", new=f"    gzip off;\n{NO_TRANSFORM}")
        with nginx(tmp_path, page, api.port) as proxy:
            headers = proxy.send("GET", "/api/todos/", token).headers
        direct = api.get("/api/todos/", token).headers["cache-control"]
        assert headers["cache-control"] == f"{direct}, no-transform"


class TestFields:
    def test_an_answer_keeps_the_fields_of_the_api(
        self, proxy: Proxy, api: Api, token: str
    ) -> None:
        as_the_proxy = {"Host": HOST, "X-Forwarded-Proto": "https"}
        direct = api.send("GET", "/api/todos/?limit=1", token, None, **as_the_proxy)
        answer = proxy.send("GET", "/api/todos/?limit=1", token, None, **GZIP)
        for name in direct.headers.keys() - OWN_FIELDS:
            assert answer.headers[name] == direct.headers[name]
        assert {"ratelimit", "x-request-id"} <= answer.headers.keys()
        assert "strict-transport-security" in answer.headers

    def test_the_proxy_chooses_the_request_id(self, proxy: Proxy, api: Api) -> None:
        chosen = "7e8e2ec3-3ac5-41e9-9f3d-7cf1b9e56f59"
        answer = proxy.send("GET", "/api/me/", "", None, **{"X-Request-Id": chosen})
        given = answer.headers["x-request-id"]
        assert given != chosen
        assert f"request_id={given}" in api.log()
        assert answer.data["instance"] == f"urn:uuid:{given}"

    def test_a_client_cannot_forge_its_address(
        self, proxy: Proxy, request: pytest.FixtureRequest
    ) -> None:
        number = ("nginx", "caddy").index(request.node.callspec.params["proxy"])
        refused, other = f"127.0.{number}.7", f"127.0.{number}.8"
        for count in range(REFUSALS + 1):
            said = {"X-Forwarded-For": f"192.0.2.{count}"}
            last = proxy.send("GET", "/api/me/", "x.y.z", None, source=refused, **said)
        assert last.status == 429
        assert 1 <= int(last.headers["retry-after"]) <= 3600
        assert proxy.send("GET", "/api/me/", "x.y.z", source=other).status == 401

    def test_a_client_cannot_forge_its_scheme(self, proxy: Proxy) -> None:
        root = proxy.send("GET", "/", "", None, **{"X-Forwarded-Proto": "http"}).data
        assert root["api"] == f"https://{HOST}/api/"

    def test_the_longest_token_reaches_the_api(self, proxy: Proxy) -> None:
        longest = "a" * MAX_TOKEN_CHARACTERS
        answer = proxy.send("GET", "/api/me/", longest, source="127.0.0.9", Baggage="b" * 7000)
        assert answer.outcome == "401 token_malformed"

    @pytest.mark.parametrize(
        "path", ["/metrics", "//metrics", "/metrics/", "/%6detrics", "/x/../metrics", "/metrics?a"]
    )
    def test_metrics_are_404(self, proxy: Proxy, api: Api, path: str) -> None:
        assert api.get("/metrics", METRICS_TOKEN).status == 200
        answer = proxy.send("GET", path, METRICS_TOKEN)
        assert answer.status == 404
        assert b"todos_http_requests_total" not in answer.body


@pytest.mark.parametrize("octets", [300_000, 1_000_000])
def test_the_api_refuses_a_large_body_behind_a_proxy(proxy: Proxy, token: str, octets: int) -> None:
    for _ in range(5):
        answer = proxy.send("POST", "/api/todos/", token, b" " * octets)
        assert answer.outcome == "413 content_too_large"
    assert_served(proxy, token)


def test_a_proxy_keeps_its_connections_to_the_api(proxy: Proxy, api: Api, token: str) -> None:
    before = connections_to(api.port)
    for _ in range(30):
        create(proxy, token)
    assert connections_to(api.port) - before <= 3


def connections_to(port: int) -> int:
    """The connections that the kernel lists, recently closed ones included."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(local.endswith(f":{port:04X}") for _, local, *_ in rows)


@pytest.fixture(scope="module")
def public(servers: Servers) -> Iterator[Api]:
    with stub_issuer() as stub:
        oauth = {"BETTER_AUTH_URL": stub.url, "OAUTH_RESOURCE": PUBLIC_URL}
        yield behind_a_proxy(servers, PUBLIC_URL=PUBLIC_URL, **oauth)


class TestPathPrefix:
    @pytest.fixture(params=PAGES)
    def below(self, request: pytest.FixtureRequest, tmp_path: Path, public: Api) -> Iterator[Proxy]:
        with started(request.param, tmp_path, public, prefix=True) as proxy:
            yield proxy

    def test_addresses_in_answers_have_the_prefix(self, below: Proxy, token: str) -> None:
        for title in ("One", "Two", "Three"):
            made = below.send("POST", "/backend/api/todos/", token, {"title": title})
        assert below.send("GET", path_of(made.headers["location"]), token).data == made.data
        seen, page = [], f"{PUBLIC_URL}/api/todos/?limit=1"
        while page:
            answer = below.send("GET", path_of(page), token).data
            seen += [todo["title"] for todo in answer["results"]]
            page = answer["next"]
        assert seen[:3] == ["Three", "Two", "One"]
        root = below.send("GET", "/backend/api/", token).data
        for name, address in root.items():
            assert below.send("GET", path_of(address), token).status == 200, name

    def test_metrics_below_the_prefix_are_404(self, below: Proxy) -> None:
        for path in ("/backend/metrics", "/backend//metrics", "/backend/metrics/", "/metrics"):
            assert b"todos_" not in below.send("GET", path, METRICS_TOKEN).body

    def test_the_metadata_for_oauth_is_outside_the_prefix(self, below: Proxy) -> None:
        challenge = below.send("GET", "/backend/api/").headers["www-authenticate"]
        url = f"https://{HOST}/.well-known/oauth-protected-resource/backend"
        assert f'resource_metadata="{url}"' in challenge
        metadata = below.send("GET", url.removeprefix(f"https://{HOST}")).data
        assert metadata["resource"] == PUBLIC_URL


def path_of(address: str) -> str:
    """The path and query of an address below ``PUBLIC_URL``."""
    assert address.startswith(f"{PUBLIC_URL}/")
    return address.removeprefix(f"https://{HOST}")


class TestManyClients:
    def test_idle_clients_delay_no_other_client(self, proxy: Proxy, token: str) -> None:
        with ExitStack() as stack:
            for number in range(IDLE_CLIENTS):
                connection = stack.enter_context(proxy.connect())
                if number % 3 == 0:
                    connection.sendall(b"GET /api/todos/ HTTP/1.1\r\nHost: todos.")
            assert_served(proxy, token)

    def test_slow_clients_delay_no_other_client(self, proxy: Proxy, token: str) -> None:
        head = (
            f"POST /api/todos/ HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 30\r\n"
        ).encode()
        with ExitStack() as stack:
            slow = [stack.enter_context(proxy.connect()) for _ in range(SLOW_CLIENTS)]
            in_the_head, in_the_body = slow[::2], slow[1::2]
            for connection in in_the_head:
                connection.sendall(head + b"X-Slow: ")
            for connection in in_the_body:
                connection.sendall(head + b"\r\n")
            for _ in range(3):
                for connection in slow:
                    connection.sendall(b" ")
                assert_served(proxy, token)
                time.sleep(1)
            in_the_head[0].sendall(b"1\r\n\r\n" + b'{"title": "After all"}'.rjust(30))
            in_the_body[0].sendall(b'{"title": "After all"}'.rjust(27))
            for connection in (in_the_head[0], in_the_body[0]):
                assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")


class TestLimitsOfOneAddress:
    def test_nginx_refuses_more_than_100_requests_at_once(
        self, tmp_path: Path, api: Api, token: str
    ) -> None:
        head = f"POST /api/todos/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 262144\r\n\r\n"
        with started("nginx", tmp_path, api) as proxy, ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(proxy.connect("127.0.1.1")).sendall(head.encode())
            time.sleep(0.5)
            seen = api.log()
            assert proxy.send("GET", "/api/me/", token, source="127.0.1.1").status == 429
            assert_served(proxy, token, source="127.0.1.2")
            assert api.log().count("POST") - seen.count("POST") == 5, "they reach the API"

    def test_nginx_drops_idle_connections_if_it_is_full(
        self, tmp_path: Path, api: Api, token: str
    ) -> None:
        with started("nginx", tmp_path, api) as proxy, ExitStack() as stack:
            for _ in range(MANY_CLIENTS):
                stack.enter_context(proxy.connect("127.0.2.1"))
            assert_served(proxy, token, source="127.0.2.2")

    def test_the_kernel_refuses_connections_over_200(self, tmp_path: Path) -> None:
        (tmp_path / "page.nft").write_text(NFT)
        script = 'ip link set lo up && nft -f page.nft && exec "$0" -c "$1"'
        namespace = ["unshare", "--net", "--map-root-user", "sh", "-c", script]
        printed = run([*namespace, sys.executable, COUNT_CONNECTIONS], tmp_path, {})
        assert printed == "127.0.0.1 200\n127.0.0.2 200\n::1 200\n"


# Prints the number of connections of each address that a server on port 443 accepts.
COUNT_CONNECTIONS = """
import socket
for address in ("127.0.0.1", "127.0.0.2", "::1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    host = address if ":" in address else "127.0.0.1"
    with socket.create_server((host, 443), family=family, backlog=300):
        connections = []
        try:
            for _ in range(250):
                connections.append(socket.create_connection((host, 443), 5, (address, 0)))
        except ConnectionRefusedError:
            print(address, len(connections))
"""
