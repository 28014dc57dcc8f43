"""The pages of a project's experiments. Importing the modules declares their routes."""

from gitlab_mlops.blueprints.web import artifacts, candidates, doorway, experiments
from gitlab_mlops.blueprints.web.blueprint import assets, pages

__all__ = ["artifacts", "assets", "candidates", "doorway", "experiments", "pages"]
