"""The blueprints of the pages: one mounted below each project URL, one for what they load."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("mlops", __name__, template_folder="../../templates")
"""The pages, mounted below each of the forge's project URLs."""

assets = Blueprint(
    "mlops_assets",
    __name__,
    static_folder="../../static/mlops",
    static_url_path="/-/mlops/static",
)
"""Style sheets and scripts, mounted once: the same for everybody, so they can be cached."""
