"""Finding candidates and experiments: expressions and orders become one SQL statement."""

from gitlab_mlops.services.search.candidates import MAX_EXPERIMENTS, search_candidates
from gitlab_mlops.services.search.experiments import search_experiments
from gitlab_mlops.services.search.keyset import Position
from gitlab_mlops.services.search.pages import Page, View

__all__ = ["MAX_EXPERIMENTS", "Page", "Position", "View", "search_candidates", "search_experiments"]
