"""A real browser on a served forge."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from host_stub import users
from host_stub.database import db
from tests.factories import Api, Forge

PASSWORD = "a long pass phrase"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; the one that Playwright would download is not needed."""
    path = shutil.which("chromium")
    assert path, "install Debian's package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """Somebody at a browser, and everything that went wrong in it."""

    context: BrowserContext
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors of scripts, blocked content, dialogs, and requests that failed."""
        page = self.page
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda line: self._note(line.type, line.text))
        page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        page.on("requestfailed", lambda request: self._note_failure(request))

    def _note(self, kind: str, text: str) -> None:
        # A page that answers 400 or 404 on purpose is none.
        if kind in ("error", "warning") and "the server responded with a status" not in text:
            self.complaints.append(f"console: {text}")

    def _note_failure(self, request: Request) -> None:
        # What was still loading when the next page opened is none.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure}: {request.url}")

    def open(self, path: str) -> Page:
        """Open a page of the project, below its `/-/ml/`."""
        self.page.goto(f"{self.url}/{path}")
        return self.page

    def overflows(self) -> bool:
        """Whether the page as a whole scrolls sideways."""
        wide: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide


class Browsing:
    """Opens browsers on the served forge; asserts at the end that nothing went wrong in them."""

    def __init__(self, chromium: Browser, live_url: str, forge: Forge) -> None:
        self.chromium, self.live_url, self.forge = chromium, live_url, forge
        self.visits: list[Visit] = []

    def visit(self, api: Api, user_id: int | None = None, **options: Any) -> Visit:
        """A fresh browser on the project of `api`; options are those of Playwright's context."""
        context = self.chromium.new_context(locale="en-US", **options)
        page = context.new_page()
        url = f"{self.live_url}/{self.forge.path(api.project_id)}/-/ml"
        visit = Visit(context, page, url)
        if user_id is not None:
            self._sign_in(page, user_id)
        visit.watch()
        self.visits.append(visit)
        return visit

    def _sign_in(self, page: Page, user_id: int) -> None:
        with self.forge.stored():
            user = db.session.get(users.User, user_id)
            assert user is not None
            user.password_hash = users.generate_password_hash(PASSWORD)
            username = user.username
        page.goto(f"{self.live_url}/users/sign_in")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda url: "sign_in" not in url)


@pytest.fixture
def browsing(chromium: Browser, live_url: str, forge: Forge) -> Iterator[Browsing]:
    """Browsers for a test; scripts that fail and content that a policy blocks fail the test."""
    browsing = Browsing(chromium, live_url, forge)
    yield browsing
    for visit in browsing.visits:
        visit.context.close()
    assert [each for visit in browsing.visits for each in visit.complaints] == []
