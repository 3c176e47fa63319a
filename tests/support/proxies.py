"""nginx and Caddy as processes on loopback, with the configurations of ``docs/proxies.md``."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

from tests.support.processes import REQUEST_SECONDS, Server, free_port, run

HOST = "todos.example.com"
# The limit of Debian's nginx.conf, with compression of all JSON.
NGINX_CONF = """
daemon off;
{user}
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 768; }}
http {{
    access_log off;
    {temporary}
    gzip on;
    gzip_min_length 1;
    gzip_proxied any;
    gzip_types application/json application/problem+json;
    include {folder}/page.conf;
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CADDY_OPTIONS = """
    admin off
    default_bind 127.0.0.1
    http_port {http_port}
    https_port {port}
    local_certs
    skip_install_trust
    storage file_system {folder}
"""


def changed(text: str, *, old: str, new: str) -> str:
    """Replace ``old``, which the text must have."""
    assert old in text, f"the page has no {old!r}"
    return text.replace(old, new)


class Connection(HTTPConnection):
    def __init__(self, proxy: Proxy, source: str) -> None:
        super().__init__(HOST)
        self._proxy, self._source = proxy, source

    def connect(self) -> None:
        self.sock = self._proxy.connect(self._source)


class Proxy(Server):
    """``authority`` is the certificate that clients trust."""

    authority: Path

    def is_ready(self) -> bool:
        with suppress(OSError):
            return self.send("GET", "/").status < 500
        return False

    def connect(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """Connect over TLS to the name ``HOST``, from an address of loopback."""
        context = ssl.create_default_context(cafile=str(self.authority))
        plain = socket.create_connection(("127.0.0.1", self.port), REQUEST_SECONDS, (source, 0))
        try:
            return context.wrap_socket(plain, server_hostname=HOST)
        except OSError:
            plain.close()
            raise

    def connection(self, source: str) -> HTTPConnection:
        return Connection(self, source)


@contextmanager
def nginx(folder: Path, page: str, api_port: int) -> Iterator[Proxy]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed"
    port = free_port()
    make_certificate(folder)
    page = changed(page, old="listen 443 ", new=f"listen 127.0.0.1:{port} ")
    page = changed(page, old="/etc/ssl/todos.pem", new=f"{folder}/certificate.pem")
    page = changed(page, old="/etc/ssl/private/todos.key", new=f"{folder}/key.pem")
    (folder / "page.conf").write_text(in_front_of(api_port, page))
    (folder / "nginx.conf").write_text(
        NGINX_CONF.format(
            folder=folder,
            # The default user of the workers cannot reach the folder.
            user="user root;" if os.geteuid() == 0 else "",
            temporary=" ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY),
        )
    )
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with running(command, port, folder, authority=folder / "certificate.pem") as proxy:
        yield proxy


@contextmanager
def caddy(folder: Path, page: str, api_port: int) -> Iterator[Proxy]:
    program = shutil.which("caddy")
    assert program, "caddy is not installed"
    port = free_port()
    options = CADDY_OPTIONS.format(port=port, http_port=free_port(), folder=folder)
    page = in_front_of(api_port, page)
    (folder / "Caddyfile").write_text(page.replace("{\n", "{" + options, 1))
    command = [program, "run", "--config", str(folder / "Caddyfile")]
    authority = folder / "pki" / "authorities" / "local" / "root.crt"
    with running(command, port, folder, authority=authority) as proxy:
        yield proxy


def in_front_of(api_port: int, page: str) -> str:
    """Replace both servers of the page by one."""
    for port in (8000, 8001):
        page = changed(page, old=f"127.0.0.1:{port}", new=f"127.0.0.1:{api_port}")
    return page


@contextmanager
def running(command: list[str], port: int, folder: Path, *, authority: Path) -> Iterator[Proxy]:
    proxy = Proxy(
        command,
        port=port,
        directory=folder,
        environment={"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        log=folder / "log",
    )
    proxy.authority = authority
    with proxy:
        yield proxy


def make_certificate(folder: Path) -> None:
    """Write a self-signed certificate for ``HOST``, and its key."""
    made = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem"]
    named = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    run(["openssl", "req", "-x509", *made, *named], folder, {})
