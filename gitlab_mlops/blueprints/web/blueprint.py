"""The blueprints of the pages: one mounted below each project URL, one for what they load."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, request, url_for

pages = Blueprint("mlops", __name__, template_folder="../../templates")
"""The pages, mounted below each of the forge's project URLs."""

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


@lru_cache(maxsize=64)
def digest(filename: str) -> str:
    """Names the content of a file below `static/mlops`; empty if there is no such file."""
    folder = Path(assets.static_folder or "").resolve()
    path = (folder / filename).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return ""
    return sha256(path.read_bytes()).hexdigest()[:16]
