"""Every page in a real browser: axe-core finds nothing bad, no rule is broken, all fits.

A page that is added later has to get an address in `accessibility.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import expect

from gitlab_mlops.blueprints.web.page import ROUTES
from tests.e2e.accessibility import (
    AXE,
    NO_PAGES,
    Finding,
    addresses,
    examine,
    report,
    rule_name,
)
from tests.e2e.conftest import Browsing, Visit
from tests.e2e.furnished import Furnished, furnish
from tests.factories import Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PHONE, DESK = ({"width": width, "height": 800} for width in (375, 1280))

STYLE = "getComputedStyle(document.querySelector('.mlops')).getPropertyValue('--mlops-accent')"


@pytest.fixture
def furnished(forge: Forge) -> Furnished:
    return furnish(forge)


def walk(visit: Visit, at: Furnished, troubles: list[str]) -> Iterator[str]:
    """Open all pages one after the other; their paths. Those that do not come are troubles."""
    known = addresses(at)
    for rule in dict.fromkeys(rule_name(route.rule) for route in ROUTES if route.method == "GET"):
        for address in known.get(rule, []):
            answer = visit.page.goto(urljoin(f"{visit.url}/", address.path))
            if answer is None or answer.status != address.status:
                troubles.append(f"{address.path} answers {answer and answer.status}")
                continue
            try:
                expect(visit.page.locator(address.until).first).to_be_visible()
            except AssertionError:
                troubles.append(f"{address.path} never shows {address.until}")
            if not visit.page.evaluate(STYLE):
                troubles.append(f"{address.path} has no style")
            yield address.path


def test_no_page_is_forgotten(furnished: Furnished) -> None:
    declared = {rule_name(route.rule) for route in ROUTES if route.method == "GET"}
    assert declared <= addresses(furnished).keys() | NO_PAGES.keys()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    browsing: Browsing, furnished: Furnished, scheme: str
) -> None:
    """Both widths in light; in dark, where only the colours differ, the wide one."""
    visit = browsing.visit(
        furnished.api, furnished.owner, color_scheme=scheme, reduced_motion="reduce"
    )
    # The developer tools may inject it where the pages' own policy would not let it in.
    visit.context.add_init_script(path=AXE)
    found: dict[str, list[Finding]] = {}
    troubles: list[str] = []
    for path in walk(visit, furnished, troubles):
        found[path] = examine(visit.page)
        if scheme == "light":
            visit.page.set_viewport_size(PHONE)
            found[f"{path} on a phone"] = examine(visit.page)
            if visit.overflows():
                troubles.append(f"{path} scrolls sideways on a phone")
            visit.page.set_viewport_size(DESK)
    text = "\n".join([*troubles, report(found)]).strip()
    if text:
        pytest.fail(text, pytrace=False)
