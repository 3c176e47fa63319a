"""The address that a client is counted by."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from api.throttling import addresses
from api.throttling.addresses import client_of

PROXY = "10.0.0.1"


def client(forwarded: str | None = None, peer: str = PROXY) -> str:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return client_of(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.parametrize("forwarded", [None, "", "192.0.2.1", "192.0.2.1, 192.0.2.2"])
def test_x_forwarded_for_is_not_read_without_proxies(forwarded: str | None) -> None:
    assert client(forwarded) == PROXY


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.9,nonsense ,  192.0.2.1 ", "192.0.2.1"),
        (2, "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "198.51.100.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "192.0.2.1", PROXY),
        (2, "nonsense, 192.0.2.1", PROXY),
    ],
)
def test_the_entry_of_the_outermost_trusted_proxy_is_read(
    settings: Settings, proxies: int, forwarded: str, expected: str
) -> None:
    settings.NUM_PROXIES = proxies
    assert client(forwarded) == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.5:50001", "203.0.113.5"),
        ("203.0.113.5:1", "203.0.113.5"),
        ('"203.0.113.5:50001"', "203.0.113.5"),
        (" 198.51.100.9:7 ,\t203.0.113.5:50001 ", "203.0.113.5"),
        ("[2001:db8::1]:443", "2001:db8::/64"),
        ('"[2001:db8::1]:443"', "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ('"[2001:db8::1]"', "2001:db8::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("[fe80::1%eth0]:443", "fe80::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("[::ffff:203.0.113.5]:443", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("203.0.113.5", "203.0.113.5"),
    ],
)
def test_port_and_brackets_are_removed_from_an_address(
    settings: Settings, forwarded: str, expected: str
) -> None:
    settings.NUM_PROXIES = 1
    assert client(forwarded) == expected


@pytest.mark.parametrize(
    "forwarded",
    [
        None,
        "",
        "192.0.2.1, ",
        "192.0.2.1.5",
        "unknown",
        "_hidden",
        "unknown:443",
        "203.0.113.5:",
        "203.0.113.5:port",
        "203.0.113.5:123456",
        "203.0.113.5:80:80",
        "203.0.113.5 :80",
        "203.0.113:80",
        "[203.0.113.5]:80",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]443",
        "[2001:db8::1]:port",
        "[[2001:db8::1]]",
        "[2001:db8::g]:443",
        "[]:443",
        ":443",
        '""',
        "for=203.0.113.5",
        "https://203.0.113.5",
    ],
)
def test_an_entry_without_an_address_is_ignored(settings: Settings, forwarded: str | None) -> None:
    settings.NUM_PROXIES = 1
    assert client(forwarded) == PROXY


def test_the_field_forwarded_is_ignored(settings: Settings) -> None:
    settings.NUM_PROXIES = 1
    headers = {"forwarded": "for=203.0.113.5"}
    assert client_of(RequestFactory().get("/", headers=headers, REMOTE_ADDR=PROXY)) == PROXY


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_counted_by_its_64_network(peer: str, expected: str) -> None:
    assert client(peer=peer) == expected


def test_made_up_addresses_fill_no_memory(settings: Settings) -> None:
    settings.NUM_PROXIES = 1
    remembered = addresses._counted
    for number in range(2 * remembered.cache_parameters()["maxsize"]):
        assert client(f"192.0.2.{number}") in (f"192.0.2.{number}", PROXY)
    assert remembered.cache_info().currsize == remembered.cache_parameters()["maxsize"]
    remembered.cache_clear()
    for port in range(1, 100):
        assert client(f"203.0.113.5:{port}") == "203.0.113.5"
    assert remembered.cache_info().currsize == 1, "every port is an address"
    remembered.cache_clear()
    assert client("fe80::1%" + "x" * 1000) == client("x" * 30_000) == PROXY
    assert remembered.cache_info().currsize == 2  # the address of the proxy, and nothing
