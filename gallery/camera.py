"""Takes the pictures: Debian's Chromium, signed in as the project's owner."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright

from demo.errors import DemoError
from demo.instance import Keys
from gallery.shots import Shot

WIDTH, PHONE = 1280, {"width": 375, "height": 812}
SCALE = 2
"""Pixels of a picture per pixel of the page, so that it is sharp on today's screens."""
COLORS = 256
SETTLING = 500
"""Milliseconds for a chart that has just been drawn, and for what is loaded late."""
PATIENCE = 15_000


def take_all(
    shots: Iterable[Shot], keys: Keys, numbers: Mapping[str, str], folder: Path
) -> list[str]:
    """Take pictures; those that could not be taken, in sentences."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise DemoError("There is no chromium to take pictures with: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    # uPlot asks for the language, which a browser without one cannot tell.
    os.environ.setdefault("LANG", "en_US.UTF-8")
    missing = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        cookies = _sign_in(browser, keys)
        for shot in shots:
            path = re.sub(r"{([^}]+)}", lambda found: numbers[found[1]], shot.path)
            with _context(browser, shot) as context:
                context.add_cookies(cookies)
                try:
                    picture = _take(context, f"{keys.web_url}/{path}", shot)
                except Error as error:
                    missing.append(f"{shot.name} ({path}): {str(error).splitlines()[0]}")
                    continue
            (folder / f"{shot.name}.png").write_bytes(picture)
            print(f"  {shot.name}.png  {len(picture) // 1024} KiB", flush=True)
        browser.close()
    return missing


def _sign_in(browser: Browser, keys: Keys) -> list[dict[str, str]]:
    with browser.new_context() as context:
        page = context.new_page()
        origin = urlsplit(keys.web_url)._replace(path="").geturl()
        page.goto(f"{origin}/users/sign_in")
        page.fill("[name=username]", keys.user)
        page.fill("[name=password]", keys.password)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda url: "sign_in" not in url)
        return context.cookies()


def _context(browser: Browser, shot: Shot) -> BrowserContext:
    return browser.new_context(
        locale="en-GB",
        color_scheme=shot.scheme,
        viewport=PHONE if shot.is_phone else {"width": WIDTH, "height": shot.height},
        device_scale_factor=SCALE,
        reduced_motion="reduce",
    )


def _take(context: BrowserContext, url: str, shot: Shot) -> bytes:
    """The picture as PNG. Raises Playwright's `Error` if the page is not there."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    answer = page.goto(url)
    if answer is None or answer.status in (404, 500):
        raise Error(f"the answer is {answer and answer.status}")
    for part in filter(None, (shot.at, shot.until)):
        page.locator(part).first.scroll_into_view_if_needed()
        page.locator(part).first.wait_for()
    start = f"document.querySelector({shot.at!r})" if shot.at else "document.body"
    page.evaluate(f"{start}.scrollIntoView({{block: 'start'}})")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLING)
    return _squeezed(page.screenshot())


def _squeezed(picture: bytes) -> bytes:
    """The picture with few colours, as pages have them anyway."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    few = image.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    squeezed = io.BytesIO()
    few.save(squeezed, "PNG", optimize=True)
    return squeezed.getvalue()
