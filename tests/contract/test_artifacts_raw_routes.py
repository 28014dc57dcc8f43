"""Every route and verb that takes a path of artifacts, asked through raw sockets for ways out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from gitlab_mlops.blueprints.endpoint import ROUTES
from gitlab_mlops.blueprints.web.page import ROUTES as PAGES
from tests.browsing import log
from tests.contract.test_artifacts_raw import OTHER_POISON, WAYS_OUT, Answer, Wire, receive
from tests.contract.test_pages_promotion import log_model
from tests.factories import Api, Forge

OWN, SECRET = b"GIF89a own", b"GIF89a top secret"
"""What is in every file of the run and the model, and in all others. It passes for a picture."""
LISTED = b"own.gif"
VERBS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS")
WORDS = ("artifact", "mpu", "preview", "archive", "/files")
"""Rules with these words are about files."""
BELOW = "/api/2.0/mlflow-artifacts"
# Names with nothing in them that a list of a server or a proxy would stumble over.
POISON = [*WAYS_OUT, *OTHER_POISON]
FEW = ["../canary", "%2e%2e%2f%2e%2e%2fcanary", "a%23b"]


@dataclass(frozen=True)
class Door:
    """A route, where it leads with a path in it, and the status of a path that is good.

    `target` has `{name}` for the path, which is in the query if it ends with that. `shows`: what
    is in the answer to a good path, and to no other.
    """

    method: str
    rule: str
    target: str
    good: int = 200
    shows: bytes = b""
    body: bytes = b""
    good_name: str = "a/own.gif"


@dataclass(frozen=True)
class House:
    """A public project with files of a run, of a model, and of a version, and canaries around."""

    wire: Wire
    pages: str
    model_id: str
    upload_id: str
    part: dict[str, Any]

    def ask(self, method: str, target: str, body: bytes) -> Answer:
        """A request with the token, to the tracking API or to a page."""
        api = self.wire.api
        path = f"{api.base}{target}" if target.startswith("/api/") else f"{self.pages}{target}"
        sends = method in ("PUT", "POST", "PATCH")
        headers = ["Content-Type: application/json"] if body.startswith(b"{") else []
        headers += [f"Content-Length: {len(body)}"] if sends else []
        with self.wire.connect(method, "", *headers, path=path) as connection:
            connection.sendall(body if sends else b"")
            return receive(connection)

    def files(self) -> dict[str, bytes]:
        """Every file on the disk that a way out could reach."""
        top = self.wire.store.parent
        files = [*self.wire.store.rglob("*"), *top.glob("canary*")]
        return {str(path): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture
def house(live_url: str, forge: Forge, config: dict[str, Any]) -> House:
    url, api = urlsplit(live_url), forge.developer("public")
    assert url.hostname is not None
    assert url.port is not None
    store = Path(config["MLOPS_ARTIFACTS_URL"])
    wire = Wire(url.hostname, url.port, api, log(api, "owl"), store)
    model_id = log_model(api, wire.run_id, "net")
    for root in (wire.root, f"models/{model_id}/artifacts"):
        path = f"{BELOW}/artifacts/{root}/a/own.gif"
        assert api.call("PUT", path, data=OWN).status_code == 200
    api.post("registered-models/create", name="net")
    source = f"mlflow-artifacts:/{wire.root}"
    api.post("model-versions/create", name="net", source=source)
    upload_id, part = begin(api, wire.root)
    plant(wire, model_id)
    return House(wire, f"/{forge.path(api.project_id)}/-/ml", model_id, upload_id, part)


def begin(api: Api, root: str) -> tuple[str, dict[str, Any]]:
    """An upload of one part that has arrived, to a file in the folder `a`."""
    begun = api.call(
        "POST", f"{BELOW}/mpu/create/{root}/a", json={"path": "up.gif", "num_parts": 1}
    ).get_json()
    url = urlsplit(begun["credentials"][0]["url"]).path
    sent = api.app.test_client().put(url, data=OWN)
    return begun["upload_id"], {"part_number": 1, "etag": sent.headers["ETag"]}


def plant(wire: Wire, model_id: str) -> None:
    """Put a secret on every level that a way out of the files could lead to."""
    for folder in (wire.folder, wire.store / str(wire.api.project_id) / "models" / model_id):
        while folder != wire.store.parent:
            folder = folder.parent
            (folder / "canary").write_bytes(SECRET)


def doors(house: House) -> list[Door]:
    """Every declared route about files, with good values for all but the path."""
    run, model = house.wire.root, f"models/{house.model_id}/artifacts"
    file, listing = f"{BELOW}/artifacts/<path:artifact_path>", f"{BELOW}/artifacts"
    begun = b'{"path": "up.gif", "num_parts": 1}'
    upload = {"path": "up.gif", "upload_id": house.upload_id}
    complete = json.dumps({**upload, "parts": [house.part]}).encode()
    abort = json.dumps(upload).encode()
    found = [
        *(Door("GET", file, f"{listing}/{root}/{{name}}", shows=OWN) for root in (run, model)),
        *(
            Door("GET", listing, f"{listing}?path={root}/{{name}}", shows=LISTED, good_name="a")
            for root in (run, model)
        ),
        Door(
            "GET",
            "/api/2.0/mlflow/artifacts/list",
            f"/api/2.0/mlflow/artifacts/list?run_id={house.wire.run_id}&path={{name}}",
            shows=LISTED,
            good_name="a",
        ),
        Door(
            "GET",
            "/api/2.0/mlflow/logged-models/<model_id>/artifacts/directories",
            f"/api/2.0/mlflow/logged-models/{house.model_id}/artifacts/directories"
            "?artifact_directory_path={name}",
            shows=LISTED,
            good_name="a",
        ),
        Door("GET", f"{BELOW}/presigned/<path:artifact_path>", f"{BELOW}/presigned/{run}/{{name}}",
             good=501),
        Door("PUT", f"{BELOW}/mpu/parts/<ticket>", f"{BELOW}/mpu/parts/{{name}}", good=403,
             body=OWN, good_name="forged"),
        Door("POST", f"{BELOW}/mpu/create/<path:folder>", f"{BELOW}/mpu/create/{run}/{{name}}",
             body=begun, good_name="new"),
        Door("POST", f"{BELOW}/mpu/complete/<path:folder>", f"{BELOW}/mpu/complete/{run}/{{name}}",
             body=complete, good_name="a"),
        Door("POST", f"{BELOW}/mpu/abort/<path:folder>", f"{BELOW}/mpu/abort/{run}/{{name}}",
             body=abort, good_name="a"),
    ]  # fmt: skip
    for prefix, rule in pages(house).items():
        found += [
            Door("GET", f"{rule}/artifacts/<path:artifact_path>", f"{prefix}/artifacts/{{name}}",
                 shows=OWN),
            Door("GET", f"{rule}/preview/<path:artifact_path>", f"{prefix}/preview/{{name}}",
                 shows=OWN),
            Door("GET", f"{rule}/archive", f"{prefix}/archive?path={{name}}", shows=OWN,
                 good_name="a"),
            Door("GET", f"{rule}/files", f"{prefix}/files?path={{name}}", shows=LISTED,
                 good_name="a"),
        ]  # fmt: skip
    for root in (run, model):
        # Last, since they change what the others find.
        found += [
            Door(method, file, f"{listing}/{root}/{{name}}", body=OWN)
            for method in ("PUT", "DELETE")
        ]
    return found


def pages(house: House) -> dict[str, str]:
    """Where things with files have their pages, and the rules of these."""
    return {
        "/candidates/1": "/candidates/<int(max=2147483647):candidate_iid>",
        f"/logged_models/{house.model_id}": "/logged_models/<model_id>",
        "/models/net/versions/1": "/models/<model_name>/versions/<int(max=2147483647):version>",
    }


def test_no_route_about_files_is_forgotten(house: House) -> None:
    declared = {(each.method, each.rule) for each in (*ROUTES, *PAGES)}
    about_files = {each for each in declared if any(word in each[1] for word in WORDS)}
    assert about_files == {(door.method, door.rule) for door in doors(house)}


def test_every_route_works_with_a_good_path(house: House) -> None:
    """Or else its refusals below would show nothing."""
    for door in doors(house):
        answer = house.ask(door.method, door.target.format(name=door.good_name), door.body)
        assert answer.status == door.good, (door, answer.body[:300])
        assert door.shows in answer.body, (door, answer.body[:300])


def test_no_route_leads_out_of_its_files(house: House) -> None:
    before = house.files()
    for door in doors(house):
        for name in POISON:
            refuse(house, door, door.method, name)
    assert house.files() == before


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_leads_out_of_the_files(house: House, verb: str) -> None:
    before = house.files()
    targets = {door.target: door for door in doors(house)}
    for door in targets.values():
        for name in FEW:
            refuse(house, door, verb, name)
    assert house.files() == before


def refuse(house: House, door: Door, method: str, name: str) -> None:
    """The request is refused, with an answer that gives nothing away."""
    target = door.target.format(name=name)
    answer = house.ask(method, target, door.body)
    if answer.status == 308:  # pages leave doubled slashes out; what is then there, must be no way
        target = urlsplit(answer.headers["location"]).path.removeprefix(house.pages)
        answer = house.ask(method, target, door.body)
    said = (method, target, answer.status, answer.body[:300])
    assert SECRET not in answer.body, said
    if may_be_asked_for(door, name):
        assert OWN not in answer.body, said
        assert LISTED not in answer.body, said
        return
    assert 400 <= answer.status < 500 or answer.status == 501, said


def may_be_asked_for(door: Door, name: str) -> bool:
    """Whether a list may be empty here, and nothing deleted, instead of a refusal.

    Names of MLflow 2's images hold what was no UTF-8, so there may be such a path.
    """
    is_mild = door.shows == LISTED or door.method == "DELETE"
    return is_mild and "\ufffd" in unquote(name)


def test_quotes_in_names_stay_in_names(house: House) -> None:
    """The one name of all that a header could break at."""
    name = quote('a"; filename="evil.html')
    path = f"{BELOW}/artifacts/{house.wire.root}/{name}"
    assert house.ask("PUT", path, OWN).status == 200
    answer = house.ask("GET", path, b"")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="a\\"; filename=\\"evil.html"'
    )
