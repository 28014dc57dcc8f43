"""A gate in a forge with real repositories: what CI logs decides, and the forge is told."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select

from gitlab_mlops.models import Candidate, JobStamp
from gitlab_mlops.services.gate import publish
from gitlab_mlops.services.gate.publish import NAME
from host_stub import accounts, merge_requests, pipelines, projects, repositories, statuses, users
from host_stub.database import db
from host_stub.issuables import find, set_state
from host_stub.merge_requests import MergeRequest
from tests.browsing import log
from tests.factories import Api, Forge
from tests.proposing import Work

POLICY = "gate: [{metric: accuracy, better: higher, floor: 0.9, largest_drop: 0.01}]\n"
FAILED = ("failed", "1 rule: 1 failed")
PASSED = ("success", "1 rule: 1 passed")
WAITING = ("pending", "Waiting for candidates; 0 of 1 rules passed so far")


class Gated:
    """A project whose `main` has a policy and a candidate, and a merge request into it."""

    def __init__(self, forge: Forge) -> None:
        self.work = Work.begin(forge)
        self.base = self.work.commit("main", {".mlops.yml": POLICY})
        self.baseline = self.work.log(self.base, {"accuracy": 0.92}, ref="main")
        self.head = self.work.commit("feature")
        self.id = self.work.merge_request()

    def status(self, sha: str = "", name: str = NAME) -> tuple[str, str] | None:
        """What the gate says of a commit, else of the head."""
        with self.work.forge.stored():
            said = statuses.statuses(self.project(), sha or self.head)
            found = next((each for each in said if each.name == name), None)
            return None if found is None else (found.state, found.description)

    def project(self) -> projects.Project:
        return db.session.get_one(projects.Project, self.work.project_id)

    def merge_request(self) -> MergeRequest:
        found = find(MergeRequest, self.work.project_id, int(self.id))
        assert isinstance(found, MergeRequest)
        return found

    def user(self) -> users.User:
        return db.session.get_one(users.User, self.work.user_id)


@pytest.fixture
def gated(forge: Forge) -> Gated:
    return Gated(forge)


def test_a_merge_request_opens_with_a_closed_gate(gated: Gated) -> None:
    assert gated.status() == FAILED


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(0.93, PASSED), (0.91, PASSED), (0.9099, FAILED), (0.1, FAILED)]
)
def test_the_candidate_of_a_job_decides_when_it_ends(
    gated: Gated, accuracy: float, expected: tuple[str, str]
) -> None:
    gated.work.log(gated.head, {"accuracy": accuracy})
    assert gated.status() == expected


def test_a_candidate_that_runs_is_waited_for(gated: Gated) -> None:
    run_id = gated.work.log(gated.head, {"accuracy": 0.99}, finish=False)
    finish_pipeline(gated, gated.head, "feature")
    assert gated.status() == WAITING
    # Only CI can say that it ended well: it would be a person's word that the value is the last.
    gated.work.api().post("runs/update", run_id=run_id, status="FINISHED")
    assert gated.status() == FAILED


def test_while_a_job_runs_what_is_missing_is_waited_for(gated: Gated) -> None:
    other = "  {metric: accuracy, better: higher, experiment: later}"
    gated.work.commit("main", {".mlops.yml": POLICY.replace("]", f",\n{other}]")})
    with gated.work.forge.stored():
        pipeline = pipelines.create_pipeline(
            gated.project(), gated.user(), ref="feature", sha=gated.head
        )
        job, secret = pipelines.start_job(pipeline, "train")
        job_id = job.id
    api = gated.work.forge.api(gated.work.project_id, secret)
    run_id = log(api, metrics={"accuracy": 0.95})
    api.post("runs/update", run_id=run_id, status="FINISHED")
    assert gated.status() == ("pending", "Waiting for candidates; 1 of 2 rules passed so far")
    with gated.work.forge.stored():
        pipelines.finish_job(db.session.get_one(pipelines.Job, job_id))
    assert gated.status() == ("failed", "2 rules: 1 failed, 1 passed")


def finish_pipeline(gated: Gated, sha: str, ref: str) -> None:
    """A pipeline that trains nothing."""
    with gated.work.forge.stored():
        pipeline = pipelines.create_pipeline(gated.project(), gated.user(), ref=ref, sha=sha)
        job, _ = pipelines.start_job(pipeline, "test")
        pipelines.finish_job(job)


def test_of_two_candidates_that_end_at_once_both_are_seen(
    gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = begin(gated, 0.95), begin(gated, 0.1)
    evaluate, both = publish._status, threading.Barrier(2)

    def evaluate_at_once(*about: Any) -> Any:
        found = evaluate(*about)
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        if threading.current_thread().name == "slow":
            time.sleep(0.3)
        return found

    monkeypatch.setattr(publish, "_status", evaluate_at_once)

    def end(api: Api, run_id: str) -> None:
        api.post("runs/update", run_id=run_id, status="FINISHED")

    threads = [
        threading.Thread(target=end, args=one, name=name)
        for one, name in ((good, "fast"), (bad, "slow"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gated.status() == PASSED


def begin(gated: Gated, accuracy: float) -> tuple[Api, str]:
    """A candidate of the head that its job has not ended yet; the job's API, and its run id."""
    with gated.work.forge.stored():
        pipeline = pipelines.create_pipeline(
            gated.project(), gated.user(), ref="feature", sha=gated.head
        )
        _, secret = pipelines.start_job(pipeline, "train")
    api = gated.work.forge.api(gated.work.project_id, secret)
    return api, log(api, metrics={"accuracy": accuracy})


def test_a_push_waits_for_ci_and_then_asks_for_new_candidates(gated: Gated) -> None:
    gated.work.log(gated.head, {"accuracy": 0.99})
    assert gated.status() == PASSED
    new = gated.work.commit("feature")
    assert gated.status(new) == WAITING
    finish_pipeline(gated, new, "feature")
    assert gated.status(new) == FAILED


def test_the_policy_is_the_targets(gated: Gated) -> None:
    new = gated.work.commit("feature", {".mlops.yml": "gate: []\n"})
    gated.work.log(new, {"accuracy": 0.1})
    assert gated.status(new) == FAILED


def test_what_is_claimed_decides_nothing(gated: Gated) -> None:
    run_id = gated.work.claim(gated.head, {"accuracy": 1.0})
    gated.work.api().post("runs/update", run_id=run_id, status="FINISHED")
    finish_pipeline(gated, gated.head, "feature")
    assert gated.status() == FAILED


def test_who_improves_a_candidate_after_its_job_closes_the_gate(gated: Gated) -> None:
    run_id = gated.work.log(gated.head, {"accuracy": 0.5})
    gated.work.api().post("runs/log-metric", run_id=run_id, key="accuracy", value=1.0, timestamp=9)
    gated.work.api().post("runs/update", run_id=run_id, status="FINISHED")
    assert gated.status() == FAILED
    gated.work.log(gated.head, {"accuracy": 0.95})
    assert gated.status() == PASSED


def test_candidates_of_a_fork_decide_nothing(gated: Gated) -> None:
    fork = gated.work.of_fork()
    head = fork.commit("better")
    id = gated.work.merge_request("better", fork)
    fork.log(head, {"accuracy": 1.0}, ref="better")
    assert gated.status(head) == FAILED
    # Nor if the job of the fork logs under the number of the merge request.
    fork.log(head, {"accuracy": 1.0}, ref="main", merge_request=id)
    assert gated.status(head) == FAILED


def test_a_maintainer_can_train_what_a_fork_proposes(gated: Gated) -> None:
    fork = gated.work.of_fork()
    head = fork.commit("better")
    gated.work.merge_request("better", fork)
    gated.work.log(head, {"accuracy": 0.95}, ref="checked")
    assert gated.status(head) == PASSED


def test_the_trash_of_either_side_is_heard(gated: Gated) -> None:
    run_id = gated.work.log(gated.head, {"accuracy": 0.905})
    assert gated.status() == FAILED
    gated.work.api().post("runs/delete", run_id=gated.baseline)
    assert gated.status() == PASSED
    gated.work.api().post("runs/restore", run_id=gated.baseline)
    assert gated.status() == FAILED
    gated.work.api().post("runs/delete", run_id=gated.baseline)
    gated.work.api().post("runs/delete", run_id=run_id)
    assert gated.status() == FAILED


def test_a_better_target_closes_the_gate(gated: Gated) -> None:
    gated.work.log(gated.head, {"accuracy": 0.93})
    assert gated.status() == PASSED
    better = gated.work.commit("main")
    assert gated.status() == PASSED
    gated.work.log(better, {"accuracy": 0.99}, ref="main")
    assert gated.status() == FAILED


def test_a_new_policy_of_the_target_is_heard(gated: Gated) -> None:
    gated.work.log(gated.head, {"accuracy": 0.93})
    gated.work.commit("main", {".mlops.yml": POLICY.replace("0.9,", "0.95,")})
    assert gated.status() == FAILED
    gated.work.commit("main", {".mlops.yml": "gate: [oops]"})
    assert gated.status() == ("failed", "The policy on the target branch has an error.")
    gated.work.commit("main", {".mlops.yml": "gate: []"})
    assert gated.status() == ("success", "The target branch has no policy any more.")


def test_a_merge_request_into_a_lax_branch_says_nothing_about_main(gated: Gated) -> None:
    gated.work.commit("lax", {".mlops.yml": "gate: [{metric: x, better: lower, missing: ignore}]"})
    with gated.work.forge.stored():
        merge_requests.create_merge_request(
            gated.project(), gated.user(), "Sneak", source_branch="feature", target_branch="lax"
        )
    assert gated.status() == FAILED
    assert gated.status(name=f"{NAME}/lax") == ("success", "1 rule: 1 ignored")


def test_what_is_merged_or_closed_keeps_its_status(gated: Gated) -> None:
    gated.work.log(gated.head, {"accuracy": 0.93})
    with gated.work.forge.stored():
        set_state(gated.merge_request(), gated.user(), "closed")
    gated.work.log(gated.head, {"accuracy": 0.94})
    assert gated.status() == PASSED
    gated.work.commit("main", {".mlops.yml": POLICY.replace("0.9,", "0.95,")})
    assert gated.status() == PASSED
    with gated.work.forge.stored():
        merge_requests.reopen(gated.merge_request(), gated.user())
    assert gated.status() == FAILED


def test_a_merge_keeps_what_was_said(gated: Gated) -> None:
    gated.work.log(gated.head, {"accuracy": 0.93})
    with gated.work.forge.stored():
        merge_requests.merge(gated.merge_request(), gated.user())
    assert gated.status() == PASSED


def test_a_status_leads_to_the_merge_request(gated: Gated) -> None:
    with gated.work.forge.stored():
        (said,) = statuses.statuses(gated.project(), gated.head)
        assert said.target_url == f"/{gated.work.path()}/-/merge_requests/{gated.id}"


def test_a_status_that_is_rolled_back_was_not_said(gated: Gated) -> None:
    with gated.work.forge.app.app_context():
        repositories.commit(gated.project(), "feature", {"a": "b"}, "Change", gated.user())
        db.session.rollback()
    assert gated.status() == FAILED


# Other events.


def test_stamps_follow_a_project_that_is_renamed(gated: Gated) -> None:
    with gated.work.forge.stored():
        projects.rename_project(gated.project(), "sight")
        urls = db.session.scalars(
            select(JobStamp.url).where(JobStamp.project_id == gated.work.project_id)
        )
        path = gated.project().full_path
        assert path.endswith("/sight")
        assert all(url.startswith(f"/{path}/-/jobs/") for url in urls)


def test_who_is_removed_is_forgotten(gated: Gated) -> None:
    def authors() -> set[str | None]:
        mine = Candidate.project_id == gated.work.project_id
        return set(db.session.scalars(select(Candidate.actor_id).where(mine)))

    with gated.work.forge.stored():
        assert authors() == {str(gated.work.user_id)}
        accounts.remove_user(gated.user())
        assert authors() == {None}
