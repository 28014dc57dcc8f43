"""Merge requests with candidates, for the tests: commits, CI jobs that log, and who reads."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from host_stub import merge_requests, pipelines, repositories
from host_stub.database import db
from host_stub.projects import Project, fork, remove_member
from host_stub.users import User
from tests.browsing import Browser, Page, log
from tests.factories import Api, Forge


@dataclass
class Work:
    """Work of one maintainer on a project of `forge`."""

    forge: Forge
    project_id: int
    user_id: int
    numbers: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    def begin(cls, forge: Forge, visibility: str = "private") -> Work:
        """A new project with one commit on `main`."""
        project_id = forge.project(visibility)
        work = cls(forge, project_id, forge.member(project_id, "maintainer"))
        work.commit("main")
        return work

    def of_fork(self, visibility: str = "private") -> Work:
        """The work of a stranger, who reads the project, on a fork of their own."""
        user_id = self.forge.member(self.project_id, "reporter")
        with self.forge.stored():
            user, project = db.session.get_one(User, user_id), self._project()
            own = fork(project, user, user)
            own.visibility = visibility
            return Work(self.forge, int(own.id), user_id)

    def commit(self, branch: str, files: dict[str, str] | None = None) -> str:
        """A commit on top of a branch, which is made if it is missing; its sha."""
        files = files or {"train.py": f"SEED = {next(self.numbers)}, '{secrets.token_hex(4)}'\n"}
        with self.forge.stored():
            user = db.session.get_one(User, self.user_id)
            return repositories.commit(self._project(), branch, files, "Change", user)

    def merge_request(self, branch: str = "feature", source: Work | None = None) -> str:
        """Open a merge request into `main`; its id."""
        with self.forge.stored():
            author = db.session.get_one(User, (source or self).user_id)
            made = merge_requests.create_merge_request(
                self._project(),
                author,
                "Train deeper trees",
                source_branch=branch,
                source_project=source._project() if source else None,
            )
            return str(made.iid)

    def log(
        self,
        sha: str,
        metrics: dict[str, float | str] | None = None,
        *,
        ref: str = "feature",
        name: str = "",
        experiment: str = "0",
        finish: bool = True,
        merge_request: str = "",
    ) -> str:
        """What a CI job of this commit logs; the run id. `finish`: it ends, and its job too."""
        with self.forge.stored():
            pipeline = pipelines.create_pipeline(
                self._project(),
                db.session.get_one(User, self.user_id),
                ref=ref,
                sha=sha,
                merge_request_iid=int(merge_request) if merge_request else None,
            )
            job, secret = pipelines.start_job(pipeline, "train")
            job_id = job.id
        api = self.forge.api(self.project_id, secret)
        run_id = log(api, name, metrics=metrics, experiment_id=experiment)
        if finish:
            api.post("runs/update", run_id=run_id, status="FINISHED", end_time=1_700_000_060_000)
            with self.forge.stored():
                pipelines.finish_job(db.session.get_one(pipelines.Job, job_id))
        return run_id

    def claim(self, sha: str, metrics: dict[str, float | str] | None = None, **run: Any) -> str:
        """What somebody logs from a checkout of this commit; the run id."""
        return log(self.api(), metrics=metrics, tags={"mlflow.source.git.commit": sha}, **run)

    def api(self) -> Api:
        """The API with the maintainer's token."""
        return self.forge.api(self.project_id, self.forge.token(self.user_id))

    def experiment(self, name: str, **tags: str) -> str:
        """A new experiment; its id."""
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        made = self.api().post("experiments/create", name=name, tags=pairs)
        return str(made["experiment_id"])

    def path(self) -> str:
        """The path of the project."""
        return self.forge.path(self.project_id)

    def browser(self, user_id: int | None = None) -> Browser:
        """A browser of a user, else of the maintainer."""
        return Browser.open(self.forge, self.project_id, user_id or self.user_id)

    def page(self, merge_request: str, user_id: int | None = None) -> Page:
        """The forge's page of a merge request."""
        url = f"/{self.path()}/-/merge_requests/{merge_request}"
        return self.browser(user_id).get(url)

    def remove(self, user_id: int) -> None:
        """Take a user's role in the project away."""
        with self.forge.stored():
            remove_member(self._project(), user_id)

    def _project(self) -> Project:
        return db.session.get_one(Project, self.project_id)
