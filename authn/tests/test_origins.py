"""URLs as browsers read them. Node 20's ``new URL(…)`` gave the expected values."""

from __future__ import annotations

import pytest

from authn.origins import base_url, is_loopback, origin_of, split_url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com/a/b?c=d#e", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("https://app.example.com:0443", "https://app.example.com"),
        ("https://app.example.com:", "https://app.example.com"),
        ("https://app.example.com:80", "https://app.example.com:80"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("http://app.example.com:443", "http://app.example.com:443"),
        ("https://app.example.com:65535", "https://app.example.com:65535"),
        ("https://app.example.com.", "https://app.example.com."),
        (" \thttps://app.example.com \r\n", "https://app.example.com"),
        ("https://better_auth:3000", "https://better_auth:3000"),
        ("https://*.example.com", "https://*.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example:443", "https://xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
        ("https://xn--fa-hia.example", "https://xn--fa-hia.example"),
        ("https://日本.jp", "https://xn--wgv71a.jp"),
        ("https://ﬀ.example", "https://ff.example"),
        ("https://ΟΔΟΣ.example", "https://xn--pxavbq.example"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://[0:0:0::1]:3000", "http://[::1]:3000"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
        ("https://[1:2:3:4:5:6:0:8]", "https://[1:2:3:4:5:6:0:8]"),
    ],
    ids=ascii,
)
def test_an_origin_equals_that_of_a_browser(url: str, origin: str) -> None:
    assert origin_of(url) == origin
    parts = split_url(url)
    assert parts is not None
    assert parts.netloc == origin.partition("://")[2]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "//app.example.com",
        "ftp://app.example.com",
        "javascript:alert(1)",
        "https:app.example.com",
        "https://",
        "https:///app.example.com",
        "https://?x",
        "https:\\\\app.example.com",
        "https://app.example.com\\@evil.example",
        "https://app.example.com\\auth",
        "https://app example.com",
        "https://app.example.com/a b",
        "https://app.example.com/é",
        "https://app.example.com/\x00",
        "https://app.example.com/\ud800",
        "https://app.example.com/a/../b",
        "https://app.example.com/.",
        "https://app.example.com/%2E%2e/b",
        "https://user@app.example.com",
        "https://:@app.example.com",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://app.example.com:port",
        "https://app.example.com:+80",
        "https://app.example.com:٨٠",
        "https://app.example.com:" + "9" * 5000,
        "https://a..example.com",
        "https://.example.com",
        "https://.",
        "https://ex%61mple.com",
        "https://app!.example.com",
        "http://127.1",
        "http://0x7f.1",
        "http://0x7f000001",
        "http://2130706433",
        "http://0177.0.0.1",
        "http://127.0.0.1.",
        "http://256.1.1.1",
        "http://a.0x",
        "http://[::1",
        "http://::1",
        "http://[::1]x",
        "http://x[::1]",
        "http://[::g]",
        "http://[fe80::1%25eth0]",
        "http://[::ffff:127.0.0.1]",
        "http://[127.0.0.1]",
        "https://faß.example",
        "https://οδος.example",
        "https://a\u200db.example",
        "https://a。example",
        "https://" + "ü" * 64 + ".example",
        "https://\udc80.example",
    ],
    ids=lambda url: ascii(url[:40]),
)
def test_a_url_that_a_browser_refuses_or_repairs_is_refused(url: str) -> None:
    assert split_url(url) is None
    assert origin_of(url) == base_url(url) == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example.com", "https://app.example.com/api/auth"),
        ("https://app.example.com/", "https://app.example.com/api/auth"),
        ("https://app.example.com//", "https://app.example.com/api/auth"),
        ("https://app.example.com/api/auth/", "https://app.example.com/api/auth"),
        ("https://app.example.com/auth", "https://app.example.com/auth"),
        ("https://app.example.com/x/api/auth", "https://app.example.com/x/api/auth"),
        ("https://app.example.com/API/auth", "https://app.example.com/API/auth"),
        ("https://app.example.com?x=y", ""),
        ("https://app.example.com/auth#x", ""),
    ],
)
def test_the_base_path_is_the_path_or_api_auth(url: str, expected: str) -> None:
    assert base_url(url) == expected


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:3000", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("http://[::2]", False),
    ],
)
def test_loopback_hosts_are_recognized(url: str, loopback: bool) -> None:
    parts = split_url(url)
    assert parts is not None
    assert is_loopback(parts) is loopback
