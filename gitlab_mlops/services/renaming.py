"""What the plugin keeps of the path of a project: the addresses of the jobs that logged."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, literal, or_, update

from gitlab_mlops.host import Host, Project
from gitlab_mlops.models import JobStamp


def rename(host: Host, project: Project, old_path: str) -> None:
    """Let stamps of the project's jobs lead to where the jobs are now; nothing is committed.

    They are those of the project's own candidates, and of candidates of other projects (in the
    same database) that ran the project's code. Addresses that do not begin with the project's old
    one stay.
    """
    old = host.chrome.project_url(replace(project, path=old_path))
    new = host.chrome.project_url(project)
    if old == new:
        return
    mine = or_(JobStamp.project_id == project.id, JobStamp.source_project_id == project.id)
    statement = (
        update(JobStamp)
        .where(mine, func.substr(JobStamp.url, 1, len(old) + 1) == f"{old}/")
        .values(url=literal(new) + func.substr(JobStamp.url, len(old) + 1))
    )
    host.session(project).execute(statement, execution_options={"synchronize_session": False})
