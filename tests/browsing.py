"""A browser in process for the tests of pages: who is signed in, and what the HTML says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from host_stub.database import db
from tests.factories import Api, Forge

START = 1_700_000_000_000
"""When the first candidate of a test starts, in milliseconds."""
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Element:
    """An element with its attributes and all the text in it."""

    name: str
    attributes: dict[str, str]
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]


@dataclass
class Page(HTMLParser):
    """An answer, read as HTML. Elements are in the order of their start tags."""

    response: TestResponse
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.html = self.response.get_data(as_text=True)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    @property
    def status(self) -> int:
        """The answer's status."""
        return self.response.status_code

    @property
    def text(self) -> str:
        """What a person reads, with single spaces."""
        return words(self.one("body").text)

    def all(self, tag: str, /, **attributes: str) -> list[Element]:
        """The elements of this name with these attributes; `class_` asks for one class."""
        wanted_class = attributes.pop("class_", None)
        return [
            each
            for each in self.elements
            if each.name == tag
            and all(each.attributes.get(key.replace("_", "-")) == value
                    for key, value in attributes.items())
            and (wanted_class is None or wanted_class in each.attributes.get("class", "").split())
        ]  # fmt: skip

    def one(self, tag: str, /, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def link(self, text: str) -> str:
        """Where the only link with this text leads."""
        (found,) = {each["href"] for each in self.all("a") if words(each.text) == text}
        return found

    def has_link(self, text: str) -> bool:
        """Whether there is a link with this text."""
        return any(words(each.text) == text for each in self.all("a"))

    def rows(self, caption: str = "") -> list[list[str]]:
        """The cells of the bodies of the tables whose caption starts like this, as text."""
        rows: list[list[str]] = []
        in_body = is_meant = False
        for each in self.elements:
            if each.name == "caption":
                is_meant = each.text.startswith(caption)
            elif each.name in ("thead", "tbody"):
                in_body = is_meant and each.name == "tbody"
            elif each.name == "tr" and in_body:
                rows.append([])
            elif each.name in ("td", "th") and in_body:
                rows[-1].append(words(each.text))
        return rows


def words(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())


@dataclass
class Browser:
    """Reads pages of one project, as one user or anonymously."""

    forge: Forge
    client: FlaskClient
    base: str

    @classmethod
    def open(cls, forge: Forge, project_id: int, user_id: int | None = None) -> Browser:
        """A browser on a project, with the user signed in."""
        client = forge.app.test_client()
        with client.session_transaction() as session:
            session["csrf"] = "token-of-the-session"
            if user_id is not None:
                session["_user_id"] = str(user_id)
                session["_fresh"] = True
        return cls(forge, client, f"/{forge.path(project_id)}/-/ml")

    def get(self, path: str, **options: Any) -> Page:
        """A page; `path` is below the project's `/-/ml/`, or a link as a page has it."""
        return Page(self.raw(path, **options))

    def raw(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        """An answer that is no page."""
        # Buffered, so that the file of a download is closed.
        return self.client.open(self._url(path), method=method, buffered=True, **options)

    def submit(self, path: str, csrf: str = "token-of-the-session") -> TestResponse:
        """Send a form that has nothing but its CSRF token."""
        return self.client.post(self._url(path), data={"csrf_token": csrf})

    def _url(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.base}/{path}"


def log(
    api: Api,
    name: str = "",
    *,
    metrics: dict[str, float | str] | None = None,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    **run: Any,
) -> str:
    """Log a candidate that is still running; its run id. They are numbered from 1 in a project."""
    run_id = api.create_run(run_name=name, **run) if name else api.create_run(**run)
    batch = {
        "metrics": [
            {"key": key, "value": value, "timestamp": START, "step": 7}
            for key, value in (metrics or {}).items()
        ],
        "params": [{"key": key, "value": value} for key, value in (params or {}).items()],
        "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
    }
    api.post("runs/log-batch", run_id=run_id, **batch)
    return run_id


def upload(api: Api, run_id: str, name: str, body: bytes = b"hello") -> None:
    """Log an artifact of a run of the default experiment."""
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{quote(name)}"
    answer = api.call("PUT", path, data=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """Collects the SQL statements that the forge's database gets."""
    found: list[str] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[2])

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def without_nonces(html: str) -> str:
    """The HTML without what differs from answer to answer."""
    return re.sub(r'nonce="[^"]*"', "", html)
