"""Nothing gets past the check of addresses, and no receiver keeps the sender or floods it."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gitlab_mlops.services.webhooks.addresses import Networks, Target
from gitlab_mlops.services.webhooks.transport import MAX_ANSWER, Answer, Transport
from gitlab_mlops.settings import Settings
from tests.ports import free_port
from tests.receiving import OK, Receiver, receiving, speaking

LOCAL = Transport(Networks(["127.0.0.0/8"]), longest=1.0)
PUBLIC = Transport(Networks(), longest=1.0)
SOON = 5
"""Seconds, in which what takes a second is surely over."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def post(transport: Transport, url: str) -> Answer:
    return transport.post(url, b'{"a": 1}', {"Content-Type": "application/json"})


def naming(transport: Transport, *texts: str) -> Transport:
    """A transport whose name server gives these addresses for every name."""
    return replace(transport, resolve=lambda target: [ip_address(text) for text in texts])


def test_a_message_arrives_whole(receiver: Receiver) -> None:
    answer = post(LOCAL, receiver.url)
    assert (answer.status, answer.reason, answer.body) == (200, "", "ok")
    (got,) = receiver.got
    assert (got.path, got.body) == ("/hook?a=1", b'{"a": 1}')
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "[::1]"])
def test_an_address_that_is_not_public_gets_nothing(receiver: Receiver, host: str) -> None:
    answer = post(PUBLIC, f"http://{host}:{receiver.port}/")
    assert answer.status is None
    assert "not a public address" in answer.reason
    assert receiver.got == []


@pytest.mark.parametrize("text", ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254"])
def test_what_a_name_server_says_is_looked_at(receiver: Receiver, text: str) -> None:
    answer = post(naming(PUBLIC, text), f"http://innocent.example:{receiver.port}/")
    assert "not a public address" in answer.reason
    assert receiver.got == []


def test_one_private_address_among_public_ones_is_enough(receiver: Receiver) -> None:
    transport = naming(PUBLIC, "8.8.8.8", "127.0.0.1")
    assert "127.0.0.1" in post(transport, f"http://innocent.example:{receiver.port}/").reason
    assert receiver.got == []


def test_a_name_that_changes_its_mind_is_asked_once(receiver: Receiver) -> None:
    """DNS rebinding: public when it is checked, ours when it is connected to."""
    asked: list[str] = []

    def rebinding(target: Target) -> list[Any]:
        asked.append(target.host)
        return [ip_address("127.0.0.2" if len(asked) == 1 else "127.0.0.1")]

    transport = replace(LOCAL, networks=Networks(["127.0.0.2/32"]), resolve=rebinding, longest=1.0)
    answer = post(transport, f"http://innocent.example:{receiver.port}/")
    # The receiver listens at 127.0.0.1 only; what was checked is where we went.
    assert answer.status is None
    assert receiver.got == []
    assert asked == ["innocent.example"]


def test_the_name_goes_along_with_the_address(receiver: Receiver) -> None:
    transport = naming(LOCAL, "127.0.0.1")
    assert post(transport, f"http://there.example:{receiver.port}/x").is_good
    assert receiver.got[0].headers["host"] == f"there.example:{receiver.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, "elsewhere")]
    receiver.headers = {"Location": f"http://127.0.0.1:{receiver.port}/other"}
    answer = post(LOCAL, receiver.url)
    assert (answer.status, answer.is_good) == (status, False)
    assert "Redirects are not followed" in answer.reason
    assert len(receiver.got) == 1


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (500, "500"), (799, "799")])
def test_what_is_no_success_is_told(receiver: Receiver, status: int, words: str) -> None:
    receiver.answers = [(status, "no \0")]
    answer = post(LOCAL, receiver.url)
    assert (answer.status, answer.body) == (status, "no \N{REPLACEMENT CHARACTER}")
    assert words in answer.reason


def test_little_is_read_of_a_long_answer(receiver: Receiver) -> None:
    receiver.answers = [(200, "x" * 5_000_000)]
    answer = post(LOCAL, receiver.url)
    assert (answer.is_good, answer.body) == (True, "x" * MAX_ANSWER)


def test_a_receiver_that_thinks_too_long_is_left(receiver: Receiver) -> None:
    receiver.seconds = 3
    began = time.monotonic()
    answer = post(LOCAL, receiver.url)
    assert answer.reason == "It did not answer within 1 seconds."
    assert time.monotonic() - began < SOON
    assert answer.took >= 1000


def drip(connection: socket.socket, text: bytes) -> None:
    """Send a byte now and then, so that each read is quick and all of it takes for ever."""
    connection.recv(65536)
    for letter in text:
        connection.sendall(bytes([letter]))
        time.sleep(0.2)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_drips_is_left(scheme: str) -> None:
    """For https, it is the handshake that drips: a record of TLS that is never whole."""
    text = b"HTTP/1.1 200 OK\r\n" + b"x" * 99 if scheme == "http" else b"\x16\x03\x03\x20\x00" * 20
    with speaking(lambda connection: drip(connection, text)) as port:
        began = time.monotonic()
        answer = post(LOCAL, f"{scheme}://127.0.0.1:{port}/")
        assert answer.reason == "It did not answer within 1 seconds."
        assert time.monotonic() - began < SOON


def test_an_answer_is_good_though_its_body_drips() -> None:
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"

    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text + b"be")
        drip(connection, b"ginning" * 99)

    with speaking(say) as port:
        began = time.monotonic()
        answer = post(LOCAL, f"http://127.0.0.1:{port}/")
    assert answer.is_good
    assert answer.body.startswith("be")
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize(
    "text",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500,
     b"HTTP/1.1 " + b"2" * 100_000],
)  # fmt: skip
def test_what_is_no_http_is_no_answer(text: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)

    with speaking(say) as port:
        answer = post(LOCAL, f"http://127.0.0.1:{port}/")
    assert answer.status is None
    assert answer.reason


def test_a_port_where_nobody_is_and_a_name_that_is_none_are_told() -> None:
    port = free_port()
    reason = post(LOCAL, f"http://127.0.0.1:{port}/").reason
    assert reason == f"No connection to 127.0.0.1:{port}: Connection refused."
    unknown = replace(LOCAL, resolve=_no_such_name)
    assert post(unknown, "http://no.example/").reason == "There is no host no.example."
    assert "ASCII" in post(LOCAL, "http://a b/").reason


def _no_such_name(_target: Target) -> list[Any]:
    raise OSError("no such name")


def test_an_odd_name_is_no_fault() -> None:
    assert "no host" in post(PUBLIC, f"http://{'a' * 70}..example/").reason


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `there.example`, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "there.example")])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=10))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("there.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def trusting(path: Path) -> Transport:
    """A transport that trusts a certificate, and finds every name on this machine."""
    return replace(
        naming(LOCAL, "127.0.0.1"), tls=lambda: ssl.create_default_context(cafile=str(path))
    )


@pytest.fixture
def tls_receiver(certificate: Path) -> Iterator[tuple[Receiver, list[str | None]]]:
    """A receiver with TLS, and the names that it was asked for."""
    context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with receiving(context) as receiver:
        yield receiver, asked


def test_tls_is_for_the_name_though_we_go_to_an_address(
    certificate: Path, tls_receiver: tuple[Receiver, list[str | None]]
) -> None:
    receiver, asked = tls_receiver
    answer = post(trusting(certificate), f"https://there.example:{receiver.port}/")
    assert answer.is_good, answer
    assert asked == ["there.example"]
    assert receiver.got[0].headers["host"] == f"there.example:{receiver.port}"


def test_another_names_certificate_is_not_good(
    certificate: Path, tls_receiver: tuple[Receiver, list[str | None]]
) -> None:
    receiver, _ = tls_receiver
    answer = post(trusting(certificate), f"https://elsewhere.example:{receiver.port}/")
    assert "certificate is not good" in answer.reason
    assert receiver.got == []


def test_a_certificate_that_nobody_vouches_for_is_not_good(
    tls_receiver: tuple[Receiver, list[str | None]],
) -> None:
    receiver, _ = tls_receiver
    answer = post(naming(LOCAL, "127.0.0.1"), f"https://there.example:{receiver.port}/")
    assert "certificate is not good" in answer.reason
    assert receiver.got == []


def test_a_proxy_of_the_environment_is_used_only_if_the_operator_says_so(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:s%20cret@127.0.0.1:{receiver.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    url = "http://there.example/hook"
    assert "not a public" in post(naming(PUBLIC, "127.0.0.1"), url).reason
    assert receiver.got == []
    through = Transport.of(Settings(webhooks_through_proxy=True))
    assert post(through, url).is_good
    (got,) = receiver.got
    assert (got.path, got.headers["host"]) == (url, "there.example")


def test_tls_goes_through_a_proxy_in_a_tunnel(
    certificate: Path,
    tls_receiver: tuple[Receiver, list[str | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver, asked = tls_receiver
    heads: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heads.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", receiver.port)) as there:
            _carry(connection, there)

    with speaking(proxy) as port:
        monkeypatch.setenv("https_proxy", f"http://me:s%20cret@127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        transport = replace(trusting(certificate), through_proxy=True, longest=5.0)
        assert post(transport, "https://there.example:444/x").is_good
    assert heads[0].startswith(b"CONNECT there.example:444 ")
    assert b"Proxy-Authorization: Basic bWU6cyBjcmV0" in heads[0]
    assert asked == ["there.example"]
    assert "proxy-authorization" not in receiver.got[0].headers


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one end is silent for a while."""
    for each in (one, other):
        each.settimeout(0.1)
    for _ in range(20):
        for source, sink in ((one, other), (other, one)):
            try:
                piece = source.recv(65536)
            except TimeoutError:
                continue
            if not piece:
                return
            sink.sendall(piece)


def test_a_wrong_network_in_the_settings_is_named() -> None:
    with pytest.raises(ValueError, match=r"MLOPS_WEBHOOKS_ALLOW_PRIVATE: .*10\.0\.0\.1/8"):
        Transport.of(Settings(webhooks_allow_private=("10.0.0.1/8",)))


def test_an_answer_of_one_piece_is_read() -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)

    with speaking(say) as port:
        assert post(LOCAL, f"http://127.0.0.1:{port}/").body == "ok"
