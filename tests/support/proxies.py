"""nginx and Caddy as processes on loopback, with the configurations of ``docs/proxies.md``."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.processes import REQUEST_SECONDS, Answer, Server, free_port

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
    """A TLS connection to a port of loopback, with the name ``HOST``."""

    def __init__(self, port: int, context: ssl.SSLContext, source: str) -> None:
        super().__init__(HOST, timeout=REQUEST_SECONDS)
        self._connect_to = (port, context, source)

    def connect(self) -> None:
        port, context, source = self._connect_to
        self.sock = connect(port, context, source)


def connect(port: int, context: ssl.SSLContext, source: str) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), REQUEST_SECONDS, (source, 0))
    try:
        return context.wrap_socket(plain, server_hostname=HOST)
    except OSError:
        plain.close()
        raise


class Proxy(Server):
    """``authority`` is the certificate that clients trust."""

    authority: Path

    def is_ready(self) -> bool:
        with suppress(OSError):
            return self.send("GET", "/").status < 500
        return False

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def connect(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """Connect from an address of loopback, 127.0.0.1 to 127.255.255.254."""
        return connect(self.port, self.context, source)

    def send(
        self,
        method: str,
        path: str,
        token: str = "",
        body: Mapping[str, Any] | bytes | None = None,
        *,
        source: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        payload = json.dumps(body) if isinstance(body, Mapping) else body
        with closing(Connection(self.port, self.context, source)) as connection:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, fields, {}, response.read())


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
    try:
        yield proxy.start()
    finally:
        proxy.stop()


def make_certificate(folder: Path) -> None:
    """Write a self-signed certificate for ``HOST``, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
