"""The pages of a project's experiments. Importing the modules declares their routes."""

from gitlab_mlops.blueprints.web import (
    artifacts,
    candidates,
    candidates_table,
    compare,
    completion,
    curves,
    doorway,
    editing,
    experiment_forms,
    experiments,
    export,
    files,
    overall_charts,
    selection,
    wide,
)
from gitlab_mlops.blueprints.web.blueprint import assets, pages

__all__ = [
    "artifacts",
    "assets",
    "candidates",
    "candidates_table",
    "compare",
    "completion",
    "curves",
    "doorway",
    "editing",
    "experiment_forms",
    "experiments",
    "export",
    "files",
    "overall_charts",
    "pages",
    "selection",
    "wide",
]
