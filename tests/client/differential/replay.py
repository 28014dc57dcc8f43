"""Sends a scenario to a server, as raw HTTP, and gives back the answers."""

from __future__ import annotations

import http.client
import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .call import Call, Scenario

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
TIMEOUT = 60
CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


@dataclass(frozen=True)
class Target:
    """A server under test: stock, or one project of ours."""

    tracking_uri: str
    token: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back, with everything that had been saved when it came."""

    call: Call
    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: Mapping[str, object] = field(default_factory=dict)

    def json(self) -> Any:
        """The decoded body, or None where the body is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Replay:
    """The answers of one scenario, and the values that were saved on the way."""

    answers: list[Answer]
    saved: dict[str, str]


def replay(scenario: Scenario, target: Target, unique: str = "") -> Replay:
    """Send every call, in order; what is called `unique` is so on each server."""
    # The letter before it, lest it be all digits and taken for the id of an experiment.
    record = Replay([], {"unique": unique or "u" + uuid.uuid4().hex[:11]})
    for call in scenario.calls:
        answer = send(call, target, record.saved)
        record.answers.append(answer)
        record.saved.update(captured(call, answer))
    return record


def send(call: Call, target: Target, saved: Mapping[str, str]) -> Answer:
    try:
        path, body = filled_request(call, saved)
    except KeyError as missing:
        # An earlier call did not answer what this one needs; that is a difference by itself.
        return Answer(call, 0, {}, f"not sent: no {missing}".encode())
    sent = {"path": path, "body": (body or b"").decode("utf-8", "replace")[:2000]}
    status, headers, content = exchange(call, target, path, body)
    return Answer(call, status, headers, content, sent)


def exchange(
    call: Call, target: Target, path: str, body: bytes | None
) -> tuple[int, dict[str, str], bytes]:
    base = urlsplit(target.tracking_uri)
    # `http.client` sends the path as it is written; `requests` would collapse `../`.
    connection = CONNECTIONS[base.scheme](base.hostname or "", base.port, timeout=TIMEOUT)
    try:
        payload = iter([body]) if call.chunked and body else body
        connection.request(
            call.method,
            base.path.rstrip("/") + path,
            payload,
            request_headers(call, target, body),
            encode_chunked=call.chunked,
        )
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()
    finally:
        connection.close()


def request_headers(call: Call, target: Target, body: bytes | None) -> dict[str, str]:
    headers = {"Accept": "*/*", "Connection": "close"}
    if target.token:
        headers["Authorization"] = f"Bearer {target.token}"
    if body is not None and call.content_type:
        headers["Content-Type"] = call.content_type
    if call.chunked:
        headers["Transfer-Encoding"] = "chunked"
    return headers


def filled_request(call: Call, saved: Mapping[str, str]) -> tuple[str, bytes | None]:
    path = fill(call.path, saved)
    if call.query:
        path += "?" + urlencode(fill(dict(call.query), saved), doseq=True)
    if call.raw is not None:
        return path, fill(call.raw, saved).encode("utf-8", "surrogatepass")
    if call.json is None:
        return path, None
    return path, json.dumps(fill(call.json, saved)).encode()


def fill(value: Any, saved: Mapping[str, str]) -> Any:
    """The value with `{name}` replaced, at any depth, by what was saved as `name`."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: saved[match[1]], value)
    if isinstance(value, dict):
        return {fill(key, saved): fill(item, saved) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, saved) for item in value]
    return value


def captured(call: Call, answer: Answer) -> Iterator[tuple[str, str]]:
    body = answer.json()
    for name, path in call.save.items():
        value = body
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield name, value.removeprefix("mlflow-artifacts:/")


def main(tracking_uri: str, token: str = "") -> None:
    """Print one line of JSON per call: what was sent, and what the server answered."""
    from .scenarios import SCENARIOS

    for scenario in SCENARIOS:
        for answer in replay(scenario, Target(tracking_uri, token)).answers:
            print(json.dumps(as_record(scenario, answer)))


def as_record(scenario: Scenario, answer: Answer) -> dict[str, object]:
    return {
        "scenario": scenario.name,
        "name": answer.call.name,
        "method": answer.call.method,
        **answer.sent,
        "status": answer.status,
        "content_type": answer.headers.get("content-type", ""),
        "content_disposition": answer.headers.get("content-disposition", ""),
        "answer": answer.body.decode("utf-8", "replace"),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
