"""Finding candidates and experiments: expressions and orders become one SQL statement."""

from gitlab_mlops.services.search.candidates import (
    MAX_EXPERIMENTS,
    count_found,
    search_candidates,
)
from gitlab_mlops.services.search.children import search_children
from gitlab_mlops.services.search.experiments import search_experiments
from gitlab_mlops.services.search.keyset import Position
from gitlab_mlops.services.search.nesting import (
    Parent,
    count_children,
    find_parents,
    has_children,
)
from gitlab_mlops.services.search.pages import Page, View

__all__ = [
    "MAX_EXPERIMENTS",
    "Page",
    "Parent",
    "Position",
    "View",
    "count_children",
    "count_found",
    "find_parents",
    "has_children",
    "search_candidates",
    "search_children",
    "search_experiments",
]
