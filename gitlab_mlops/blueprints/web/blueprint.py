"""The blueprints of the pages: one mounted below each project URL, one for what they load."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup

from gitlab_mlops.blueprints.background import start_thread

pages = Blueprint("mlops", __name__, template_folder="../../templates")
"""The pages, mounted below each of the forge's project URLs."""
pages.before_request(start_thread)

assets = Blueprint(
    "mlops_assets",
    __name__,
    static_folder="../../static/mlops",
    static_url_path="/-/mlops/static",
)
"""Style sheets and scripts, mounted once: the same for everybody, so they can be cached."""


@assets.after_request
def _cache(response: Response) -> Response:
    """Let caches keep a file, for ever if its address names the content that it has."""
    filename = (request.view_args or {}).get("filename", "")
    if response.status_code in (200, 304) and request.args.get("v") == digest(filename):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def asset_url(filename: str) -> str:
    """Address of a style sheet or script; it changes with the content."""
    return url_for("mlops_assets.static", filename=filename, v=digest(filename))


def asset_tags(filenames: Iterable[str], nonce: str | None) -> Markup:
    """The elements for a `<head>` that load style sheets and scripts; `nonce` is the policy's."""
    allowed = Markup(' nonce="{}"').format(nonce) if nonce else Markup()
    style = Markup('<link rel="stylesheet" href="{}"{}>')
    script = Markup('<script src="{}" defer{}></script>')
    return Markup("\n").join(
        (style if each.endswith(".css") else script).format(asset_url(each), allowed)
        for each in filenames
    )


@lru_cache(maxsize=64)
def digest(filename: str) -> str:
    """Names the content of a file below `static/mlops`; empty if there is no such file."""
    folder = Path(assets.static_folder or "").resolve()
    path = (folder / filename).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return ""
    return sha256(path.read_bytes()).hexdigest()[:16]
