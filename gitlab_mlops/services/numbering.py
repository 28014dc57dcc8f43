"""Numbers things per project, gaplessly: 1, 2, 3."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.models import ProjectCounters
from gitlab_mlops.services.statements import dialect, insert_for


def next_iid(access: WriteAccess, kind: Literal["candidates", "experiments"]) -> int:
    """The next `iid`. Its row stays locked until commit, so a rolled back number is not lost."""
    statement = _next(dialect(access.session), kind)
    number: int = access.session.execute(
        statement, [{"project_id": access.project.id, "candidates": 0, "experiments": 0, kind: 1}]
    ).scalar_one()
    return number


@cache
def _next(dialect: str, kind: str) -> Any:
    column = ProjectCounters.__table__.c[kind]
    insert = insert_for(dialect, ProjectCounters)
    counted = insert.on_conflict_do_update(index_elements=["project_id"], set_={kind: column + 1})
    return counted.returning(column)
