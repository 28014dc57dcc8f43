"""Numbers things per project, gaplessly: 1, 2, 3."""

from __future__ import annotations

from typing import Literal

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.models import ProjectCounters
from gitlab_mlops.services.statements import upsert


def next_iid(access: WriteAccess, kind: Literal["candidates", "experiments"]) -> int:
    """The next `iid`. Its row stays locked until commit, so a rolled back number is not lost."""
    column = ProjectCounters.__table__.c[kind]
    first = {"candidates": 0, "experiments": 0, kind: 1}
    statement = (
        upsert(access.session, ProjectCounters)
        .values(project_id=access.project.id, **first)
        .on_conflict_do_update(index_elements=["project_id"], set_={kind: column + 1})
        .returning(column)
    )
    number: int = access.session.execute(statement).scalar_one()
    return number
