"""While a body arrives, nothing else waits for it: no connection to the database is taken."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from host_stub.database import db
from tests.factories import Api, Forge

SIZES = {"small": 0, "as large as MLflow sends": 900_000}


class Arriving(BytesIO):
    """A body that looks how many connections are out when it is read."""

    def __init__(self, body: bytes, api: Api) -> None:
        super().__init__(body)
        self.app = api.app
        self.taken: list[int] = []

    def read(self, size: int | None = -1) -> bytes:
        with self.app.app_context():
            self.taken.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        return super().read(size)


def send(api: Api, body: dict[str, Any], **headers: str) -> tuple[int, list[int]]:
    text = json.dumps(body).encode()
    arriving = Arriving(text, api)
    answer = api.call(
        "POST",
        "runs/set-tag",
        input_stream=arriving,
        content_type="application/json",
        headers=headers,
    )
    return answer.status_code, arriving.taken


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_no_connection_waits_for_a_body(forge: Forge, api: Api, run_id: str, size: int) -> None:
    body = {"run_id": run_id, "key": "k", "value": "v", "more": "x" * size}
    status, taken = send(api, body)
    assert (status, taken) == (200, [0])


def test_who_is_not_known_yet_sends_a_large_body_in_vain(api: Api, run_id: str) -> None:
    body = {"run_id": run_id, "key": "k", "value": "x" * 2_000_000}
    status, taken = send(api, body, Authorization="Bearer nobody")
    assert (status, taken) == (401, [])


def test_a_limit_below_a_small_body_holds(
    forge: Forge, api: Api, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = forge.app.extensions["mlops"]
    settings = replace(mount.settings, max_body_bytes=100)
    monkeypatch.setitem(forge.app.extensions, "mlops", replace(mount, settings=settings))
    status, taken = send(api, {"run_id": run_id, "key": "k", "value": "x" * 100})
    assert (status, taken) == (413, [])
