"""Artifacts through raw sockets: HTTP libraries tidy up the paths and bodies that attack us."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.factories import Api, Forge

FILES = "/api/2.0/mlflow-artifacts/artifacts"
PROJECT_PATHS = "/api/2.0/mlflow-artifacts"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Wire:
    """One run of a served project, and a socket for each request."""

    host: str
    port: int
    api: Api
    run_id: str
    store: Path

    @property
    def root(self) -> str:
        """The path of the run's artifacts."""
        return f"0/{self.run_id}/artifacts"

    @property
    def folder(self) -> Path:
        """Where the run's artifacts are on the disk."""
        return self.store / str(self.api.project_id) / self.root

    def connect(
        self, method: str, target: str, *headers: str, path: str | None = None
    ) -> socket.socket:
        """Send the head of a request to a target below the tracking URI, or a path, as it is."""
        head = [
            f"{method} {path or self.api.base + target} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Connection: close",
            f"Authorization: {self.api.headers['Authorization']}",
            *headers,
        ]
        connection = socket.create_connection((self.host, self.port), 30)
        connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
        return connection

    def ask(self, method: str, target: str, body: bytes = b"", *headers: str) -> Answer:
        """A whole request and its answer."""
        length = [f"Content-Length: {len(body)}"] if method == "PUT" else []
        with self.connect(method, target, *length, *headers) as connection:
            connection.sendall(body)
            return receive(connection)

    def put(self, name: str, body: bytes) -> Answer:
        """Upload a file of the run."""
        return self.ask("PUT", f"{FILES}/{self.root}/{name}", body)

    def get(self, name: str) -> Answer:
        """Download a file of the run."""
        return self.ask("GET", f"{FILES}/{self.root}/{name}")

    def names(self) -> list[str]:
        """Every file of the run on the disk, unfinished ones too."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


def receive(connection: socket.socket) -> Answer:
    """Read an answer to the end of the connection."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body)


@pytest.fixture
def wire(live_url: str, forge: Forge, config: dict[str, Any]) -> Wire:
    url, api = urlsplit(live_url), forge.developer()
    assert url.hostname is not None
    assert url.port is not None
    store = Path(config["MLOPS_ARTIFACTS_URL"])
    return Wire(url.hostname, url.port, api, api.create_run(), store)


WAYS_OUT = [
    "../canary",
    "../../../../canary",
    "../../../../../canary",
    "%2e%2e/canary",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/canary",
    "..%2f..%2f..%2f..%2fcanary",
    "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fcanary",
    "%252e%252e%252f%252e%252e%252fcanary",
    "%25252e%25252e/canary",
    "a/../../canary",
    "a/%2e%2e/%2E%2E/canary",
    "/../canary",
    "./../canary",
    "..",
    "../",
    "%2e%2e",
]

OTHER_POISON = [
    "..\\canary",
    "..%5ccanary",
    "%2e%2e%5c%2e%2e%5ccanary",
    "C:%5Ccanary",
    "C:/canary",
    "file:%2f%2f%2fetc%2fpasswd",
    "a%00b",
    "a%09b",
    "a%23b",
    "a%3fb",
    "a%ff",
    "%c0%ae%c0%ae/canary",
    "a%ed%a0%80b",
    "x" * 251,
    "/".join("d" * 65),
]


def everything(wire: Wire) -> dict[str, bytes]:
    """Every file at and below the store's parent that a way out could reach."""
    canary = wire.store.parent / "canary"
    files = [*wire.store.rglob("*"), *wire.store.parent.glob("canary*")]
    assert canary in files
    return {str(path): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture
def canaries(wire: Wire) -> Wire:
    """Files on every level that a way out of the run's folder could lead to."""
    wire.put("a/own.txt", b"own")
    folder = wire.folder
    while folder != wire.store.parent:
        folder = folder.parent
        (folder / "canary").write_bytes(b"top secret")
    return wire


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("name", WAYS_OUT)
def test_no_way_leads_out_of_the_run(canaries: Wire, method: str, name: str) -> None:
    before = everything(canaries)
    answer = canaries.ask(method, f"{FILES}/{canaries.root}/{name}", b"evil")
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json["message"].startswith("Invalid path")
    assert everything(canaries) == before


@pytest.mark.parametrize("name", OTHER_POISON)
def test_no_name_that_clients_cannot_use_gets_in(canaries: Wire, name: str) -> None:
    before = everything(canaries)
    for method in ("PUT", "GET", "DELETE"):
        answer = canaries.ask(method, f"{FILES}/{canaries.root}/{name}", b"evil")
        if method != "PUT" and "\ufffd" in unquote(name):
            # In names of MLflow 2's images, so it may be asked for; what is not there stays so.
            assert answer.status == (404 if method == "GET" else 200)
            continue
        assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert everything(canaries) == before


def test_no_line_break_gets_in(canaries: Wire) -> None:
    before = everything(canaries)
    for method in ("PUT", "GET", "DELETE"):
        # Werkzeug's rules match no line break, so this is no route at all.
        answer = canaries.ask(method, f"{FILES}/{canaries.root}/a%0ab", b"evil")
        assert answer.status in (400, 404)
    assert everything(canaries) == before


@pytest.mark.parametrize(
    "target",
    [
        "/../artifacts/{root}/canary",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/{root}/../../../canary",
        "/.uploads/canary",
        "/../../../../canary",
        "/%2e%2e/%2e%2e/canary",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_way_leads_around_the_run(canaries: Wire, method: str, target: str) -> None:
    before = everything(canaries)
    answer = canaries.ask(method, FILES + target.format(root=canaries.root), b"evil")
    assert answer.status in (400, 404)
    assert answer.json["error_code"] in (
        "INVALID_PARAMETER_VALUE",
        "RESOURCE_DOES_NOT_EXIST",
        "ENDPOINT_NOT_FOUND",
    )
    assert everything(canaries) == before


@pytest.mark.parametrize("name", [name for name in WAYS_OUT if name != "/../canary"])
def test_no_listing_shows_what_is_outside(canaries: Wire, name: str) -> None:
    for target in (
        f"{FILES}?path={canaries.root}/{name}",
        f"/api/2.0/mlflow/artifacts/list?run_id={canaries.run_id}&path={name}",
    ):
        answer = canaries.ask("GET", target)
        assert answer.status == 400
        assert answer.json["message"].startswith("Invalid path")


def test_what_is_authorised_is_what_is_read(forge: Forge, canaries: Wire) -> None:
    """A second run id, in the query or a header, changes nothing."""
    other = forge.developer()
    secret_run = other.create_run()
    path = f"{FILES}/0/{secret_run}/artifacts/f"
    other.call("PUT", path, data=b"secret")
    for target in (
        f"{path}?run_id={canaries.run_id}",
        f"{path}?path={canaries.root}",
        f"{FILES}/{canaries.root}/..%2f..%2f{secret_run}%2fartifacts%2ff",
    ):
        answer = canaries.ask("GET", target, b"", f"X-Original-URL: {FILES}/{canaries.root}/a")
        assert answer.status in (400, 404)
        assert b"secret" not in answer.body


def chunked(*pieces: bytes) -> bytes:
    """A body in chunks, with its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


@pytest.mark.parametrize("pieces", [(), (b"hello",), (b"x" * 70_000, b"y" * 3, b"z" * 300_000)])
def test_a_body_in_chunks_is_stored(wire: Wire, pieces: tuple[bytes, ...]) -> None:
    target = f"{FILES}/{wire.root}/f"
    with wire.connect("PUT", target, "Transfer-Encoding: chunked") as connection:
        connection.sendall(chunked(*pieces))
        assert receive(connection).status == 200
    assert wire.get("f").body == b"".join(pieces)


def test_a_client_that_waits_for_100_continue_gets_it(wire: Wire) -> None:
    headers = ("Content-Length: 5", "Expect: 100-continue")
    with wire.connect("PUT", f"{FILES}/{wire.root}/f", *headers) as connection:
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert receive(connection).status == 200
    assert wire.get("f").body == b"hello"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("Content-Length: 20000000", b"x" * 12_000_000),
        ("Content-Length: 10", b"x"),
        ("Transfer-Encoding: chunked", b"b71b00\r\n" + b"x" * 12_000_000 + b"\r\n"),
        ("Transfer-Encoding: chunked", b"5\r\nhel"),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\nzz\r\nwhat"),
    ],
)
def test_a_client_that_goes_away_leaves_the_old_file(wire: Wire, header: str, part: bytes) -> None:
    wire.put("f", b"old")
    with wire.connect("PUT", f"{FILES}/{wire.root}/f", header) as connection:
        connection.sendall(part)
    for _ in range(600):  # the server has to notice first
        if wire.names() == ["f"]:
            break
        time.sleep(0.05)
    assert wire.names() == ["f"]
    assert wire.get("f").body == b"old"


def test_a_client_that_goes_away_during_a_download_harms_nobody(wire: Wire) -> None:
    body = bytes(range(256)) * 100_000
    wire.put("big", body)
    with wire.connect("GET", f"{FILES}/{wire.root}/big") as connection:
        connection.recv(1000)
    assert wire.get("big").body == body


@pytest.mark.parametrize("length", ["-1", "1e3", "+5", "0x10", "9" * 30, "5, 5", "five"])
def test_a_length_that_is_no_number_is_refused(wire: Wire, length: str) -> None:
    target = f"{FILES}/{wire.root}/f"
    with wire.connect("PUT", target, f"Content-Length: {length}") as connection:
        connection.sendall(b"hello")
        assert receive(connection).status == 400
    assert wire.names() == []


def test_a_page_is_a_download_and_never_a_page(wire: Wire) -> None:
    wire.ask(
        "PUT", f"{FILES}/{wire.root}/evil.html", b"<script>x</script>", "Content-Type: text/html"
    )
    headers = wire.get("evil.html").headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == 'attachment; filename="evil.html"'
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


@pytest.mark.parametrize("prefix", ["mpu/create", "mpu/complete", "mpu/abort", "presigned"])
@pytest.mark.parametrize("name", ["../canary", "%2e%2e%2fcanary", "%252e%252e%252fcanary"])
def test_no_way_leads_out_through_multipart(canaries: Wire, prefix: str, name: str) -> None:
    before = everything(canaries)
    method = "GET" if prefix == "presigned" else "POST"
    body = json.dumps({"path": "x", "num_parts": 1, "upload_id": "x", "parts": []}).encode()
    headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    target = f"{PROJECT_PATHS}/{prefix}/{canaries.root}/{name}"
    answer = canaries.ask(method, target, body, *headers)
    assert answer.status in (400, 404, 501)
    assert everything(canaries) == before
