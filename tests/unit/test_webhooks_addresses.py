"""Which addresses webhooks reach: public ones, however they are written, and no others."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.webhooks.addresses import Networks, Target, check, is_public, parse

PUBLIC = Networks()

PRIVATE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "192.168.1.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    # NAT64, its local variant, 6to4 and Teredo, of 127.0.0.1, 10.0.0.1 and 169.254.169.254
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::",
    "2002:a00:1::1", "2002:808:808::1", "2001:0:7f00:1::",
]  # fmt: skip

NUMBERS = [
    "127.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.1", "0",
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::]",
    "169.254.169.254", "0xa9fea9fe", "[fe80::1]",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_everybodys_is_not_reached(text: str) -> None:
    assert not PUBLIC.allow(ip_address(text))


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_what_is_public_is_reached(text: str) -> None:
    assert PUBLIC.allow(ip_address(text))


def test_an_embedded_address_is_not_public_by_itself() -> None:
    assert not is_public(ip_address("::ffff:8.8.8.8"))


@pytest.mark.parametrize("text", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00::5"])
def test_the_operator_can_allow_networks(text: str) -> None:
    networks = Networks(["10.1.0.0/16", "fd00::/8"])
    assert networks.allow(ip_address(text))
    assert not networks.allow(ip_address("10.2.0.1"))
    assert networks.allow(ip_address("8.8.8.8"))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "private", "10.0.0.0/33"])
def test_a_network_that_is_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match=text.partition("/")[0]):
        Networks([text])


@pytest.mark.parametrize("host", NUMBERS)
@pytest.mark.parametrize("port", ["", ":8080"])
def test_a_number_that_is_not_public_is_refused_when_it_is_entered(host: str, port: str) -> None:
    with pytest.raises(Invalid, match="not a public address"):
        check(f"https://{host}{port}/hook", PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "//host/x", "ftp://host/", "file:///etc/passwd", "gopher://host/",
        "javascript:alert(1)", "https://", "https:///x", "http://:80/",
        "https://user@host/", "https://user:pass@host/", "https://@host/",
        "https://evil.example\\@127.0.0.1/", "https://host\\x", "https://ho st/",
        "https://host/a b", "https://host/\r\nX: y", "https://host/\t", "https://host/\x00",
        "https://host:0/", "https://host:99999/", "https://host:x/", "https://[::1/", "https://[x]/",
        "https://[fe80::1%25eth0]/", "https://höst.example/", "https://host/ä",
        "https://host/" + "a" * 2000, "HTTP//host",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        parse(url)


def test_a_url_is_taken_apart() -> None:
    assert parse("HTTPS://Example.ORG:8443/a/b?c=d#e") == Target(
        "https", "example.org", 8443, "/a/b?c=d"
    )
    assert parse("http://example.org").path == "/"
    assert parse("http://example.org:80/").place == "example.org"
    assert parse("https://[2606:4700::1111]:81/").place == "[2606:4700::1111]:81"


def test_a_name_is_not_looked_up_when_it_is_entered() -> None:
    assert check("https://localhost/", PUBLIC).host == "localhost"
