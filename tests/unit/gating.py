"""A project with a merge request, a policy and candidates that CI trained, to test gates with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Actor, Host, MergeRequest, Project
from gitlab_mlops.models import (
    Candidate,
    Experiment,
    JobStamp,
    MetricKey,
    MetricSeries,
    Status,
)
from gitlab_mlops.services.gate.verdict import Verdict, evaluate
from tests.fakes import FakeForge, actor

HEAD, TARGET, BASE = "a" * 40, "b" * 40, "c" * 40
AUTHOR = actor("author")
RULE = {"metric": "accuracy", "better": "higher"}


@dataclass
class FakeRepository:
    """Files by project and ref, merge requests, and the statuses that were set.

    `gone` are the shas that no branch has; `calls` counts what the plugin asked. What is an
    exception is raised.
    """

    files: dict[tuple[int, str], str | Exception] = field(default_factory=dict)
    merge_requests_: list[MergeRequest] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    statuses: dict[tuple[int, str, str], tuple[str, str, str]] = field(default_factory=dict)
    refuses: Exception | None = None
    calls: Counter[str] = field(default_factory=Counter)

    def default_branch(self, project: Project) -> str | None:
        return "main"

    def merge_request(self, actor: Actor | None, project: Project, id: str) -> MergeRequest | None:
        mine = (each for each in self.merge_requests_ if each.project_id == project.id)
        return next((each for each in mine if each.id == id), None)

    def merge_requests(self, project: Project, sha: str) -> Sequence[MergeRequest]:
        self.calls["merge_requests"] += 1
        return [
            each
            for each in self._open()
            if each.head_sha == sha and project.id in (each.project_id, each.source_project_id)
        ]

    def merge_requests_into(self, project: Project, branch: str) -> Sequence[MergeRequest]:
        self.calls["merge_requests_into"] += 1
        into = (project.id, branch)
        return [each for each in self._open() if (each.project_id, each.target_branch) == into]

    def commit_url(self, project: Project, sha: str) -> str | None:
        return None

    def read_file(self, project: Project, ref: str, path: str) -> str | None:
        self.calls["read_file"] += 1
        assert path == ".mlops.yml"
        found = self.files.get((project.id, ref))
        if isinstance(found, Exception):
            raise found
        return found

    def reachable(self, project: Project, shas: Collection[str], ref: str) -> Collection[str]:
        return set(shas) - self.gone

    def set_commit_status(
        self,
        project: Project,
        sha: str,
        *,
        name: str,
        state: Literal["pending", "success", "failed"],
        description: str,
        url: str,
    ) -> None:
        self.calls["set_commit_status"] += 1
        if self.refuses is not None:
            raise self.refuses
        assert len(description) <= 140
        self.statuses[project.id, sha, name] = (state, description, url)

    def _open(self) -> list[MergeRequest]:
        return [each for each in self.merge_requests_ if each.state == "opened"]


@dataclass
class World:
    """One project, `project`, with an open merge request from `feature` into `main`."""

    session: Session
    forge: FakeForge
    project: Project
    repository: FakeRepository
    host: Host
    iids: count[int] = field(default_factory=lambda: count(1))

    @property
    def access(self) -> ReadAccess:
        return ReadAccess(AUTHOR, self.project, self.session)

    def policy(self, *rules: dict[str, Any], ref: str = TARGET) -> None:
        """Let the target branch demand this."""
        self.write("gate:" + "".join(f"\n  - {as_yaml(rule)}" for rule in rules), ref)

    def write(self, text: str | Exception, ref: str = TARGET) -> None:
        """The text of the policy file."""
        self.repository.files[self.project.id, ref] = text

    def propose(self, **changes: Any) -> MergeRequest:
        """Open a merge request."""
        values: dict[str, Any] = {
            "id": str(next(self.iids)),
            "project_id": self.project.id,
            "source_project_id": self.project.id,
            "source_branch": "feature",
            "target_branch": "main",
            "head_sha": HEAD,
            "target_sha": TARGET,
            "commits": (HEAD,),
            "state": "opened",
            "label": "!1",
            "title": "Better",
            "url": "/group/project/-/merge_requests/1",
        }
        made = MergeRequest(**{**values, **changes})
        self.repository.merge_requests_.append(made)
        return made

    def evaluate(self, **changes: Any) -> Verdict | None:
        """The verdict on a new merge request."""
        return evaluate(self.access, self.host, self.propose(**changes))

    def train(
        self,
        *,
        project: Project | None = None,
        experiment: str = "digits",
        sha: str = HEAD,
        ref: str = "feature",
        status: Status = Status.FINISHED,
        stamp: dict[str, Any] | None = None,
        is_stamped: bool = True,
        metrics: dict[str, float] | None = None,
        **more: Any,
    ) -> Candidate:
        """A candidate that a job of the project logged; `more` are metrics or columns."""
        project = project or self.project
        columns = {key: more.pop(key) for key in ("deleted_at", "actor_id") if key in more}
        candidate = Candidate(
            project_id=project.id,
            experiment_id=self.experiment(experiment, project).id,
            iid=next(self.iids),
            eid=uuid4().hex,
            name="a try",
            status=status,
            created_at=0,
            **columns,
        )
        self.session.add(candidate)
        self.session.flush()
        if is_stamped:
            values = {"project_id": project.id, "source_project_id": project.id, "sha": sha}
            values |= {"ref": ref, "job_id": "7", "pipeline_id": "3", "merge_request": ""}
            values |= {"candidate_id": candidate.id, "url": "/group/project/-/jobs/7"}
            self.session.add(JobStamp(**{**values, **(stamp or {})}))
        for key, value in {**more, **(metrics or {})}.items():
            self._log(candidate, key, value)
        self.session.flush()
        return candidate

    def experiment(self, name: str, project: Project | None = None) -> Experiment:
        """The experiment of this name, made if it is missing."""
        project = project or self.project
        mine = select(Experiment).where(
            Experiment.project_id == project.id, Experiment.name == name
        )
        found = self.session.scalar(mine)
        if found is None:
            found = Experiment(
                project_id=project.id, iid=next(self.iids), name=name, created_at=0, updated_at=0
            )
            self.session.add(found)
            self.session.flush()
        return found

    def _log(self, candidate: Candidate, key: str, value: float) -> None:
        mine = (MetricKey.project_id == candidate.project_id, MetricKey.key == key)
        found = self.session.scalar(select(MetricKey).where(*mine))
        if found is None:
            found = MetricKey(project_id=candidate.project_id, key=key)
            self.session.add(found)
            self.session.flush()
        series = MetricSeries(
            candidate_id=candidate.id,
            experiment_id=candidate.experiment_id,
            key_id=found.id,
            step=0,
            timestamp=0,
            value=value,
        )
        self.session.add(series)


def make_world(session: Session) -> World:
    """A world without a policy, a merge request or candidates."""
    forge = FakeForge(lambda project: session)
    repository = FakeRepository()
    host = forge.host(repository=repository)
    return World(session, forge, forge.add_project("group/project", AUTHOR), repository, host)


def as_yaml(rule: dict[str, Any]) -> str:
    """A rule on one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in rule.items()) + "}"
