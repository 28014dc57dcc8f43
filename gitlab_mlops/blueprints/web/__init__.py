"""The pages of a project's experiments."""

from gitlab_mlops.blueprints.web.blueprint import pages

__all__ = ["pages"]
