"""The plugin hears the forge's events, each application its own, inside the forge's transaction."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.hooks import receivers, signals
from gitlab_mlops.host import Host, Project, Source
from gitlab_mlops.models import Candidate, JobStamp, Mention, Status
from gitlab_mlops.mount import Mount
from gitlab_mlops.services import candidates
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import Storage
from tests.fakes import FakeForge, actor
from tests.unit.gating import BASE, HEAD, RULE, TARGET, World, make_world
from tests.unit.rows import add_candidate

AUTHOR = actor("author")
URL = "https://forge.example/group/project/-/ml/candidates/42"


@dataclass
class Mounted:
    """An application that listens to the events of a host."""

    app: Flask
    host: Host
    storage: Storage
    project: Project
    issue: Source

    def save(self, sender: Any = None, **text: Any) -> None:
        self.host.events.text_saved.send(
            sender or self.app, source=self.issue, project=self.project, actor=AUTHOR, **text
        )


@pytest.fixture
def mounted(session: Session, tmp_path: Path) -> Mounted:
    forge = FakeForge(lambda project: session)
    project = forge.add_project("group/project", AUTHOR)
    add_candidate(session, project, 42)
    host = forge.host(engines=lambda: [session.get_bind().engine])
    app, storage = mount(host, tmp_path)
    return Mounted(app, host, storage, project, forge.add_source(project))


def mount(host: Host, folder: Path) -> tuple[Flask, Storage]:
    app = Flask("forge")
    storage = Storage("", default_folder=folder)
    receivers.connect(app, Mount(host, Settings(), storage))
    return app, storage


def mentions(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Mention)) or 0


@pytest.mark.parametrize(
    "text", [{"text": "see [candidate:42]"}, {"html": "<p>see [candidate:42]</p>"}]
)
def test_a_saved_text_is_recorded(mounted: Mounted, session: Session, text: dict[str, str]) -> None:
    mounted.save(**text)
    assert mentions(session) == 1
    mounted.save(**dict.fromkeys(text, ""))
    assert mentions(session) == 0


@pytest.mark.parametrize(
    "text",
    [
        {"text": "`[candidate:42]`"},
        {"html": "<code>[candidate:42]</code>"},
        {"html": "", "text": "[candidate:42]"},
    ],
)
def test_code_in_a_saved_text_is_not(
    mounted: Mounted, session: Session, text: dict[str, str]
) -> None:
    mounted.save(**text)
    assert mentions(session) == 0


def test_a_later_forge_may_send_more_than_we_know(mounted: Mounted, session: Session) -> None:
    mounted.save(text="[candidate:42]", language="en")
    assert mentions(session) == 1


def test_a_deleted_text_is_forgotten(mounted: Mounted, session: Session) -> None:
    mounted.save(text="[candidate:42]")
    mounted.host.events.text_deleted.send(
        mounted.app, source=mounted.issue, project=mounted.project
    )
    assert mentions(session) == 0


def test_the_data_of_a_deleted_project_goes_and_after_the_commit_its_files(
    mounted: Mounted, session: Session
) -> None:
    mounted.storage.put(f"{mounted.project.id}/0/x/artifacts/a.txt", [b"a"])
    mounted.storage.put(f"{mounted.project.id}0/0/x/artifacts/a.txt", [b"a"])
    mounted.host.events.project_deleted.send(mounted.app, project=mounted.project)
    assert session.scalar(select(func.count()).select_from(Candidate)) == 0
    assert mounted.storage.has_below(str(mounted.project.id))
    session.commit()
    assert not mounted.storage.has_below(str(mounted.project.id))
    assert mounted.storage.has_below(f"{mounted.project.id}0")


def test_full_urls_are_known_in_a_request_or_by_the_name_of_the_server(
    mounted: Mounted, session: Session
) -> None:
    mounted.save(text=URL)
    assert mentions(session) == 0
    with mounted.app.test_request_context(base_url="https://forge.example/"):
        mounted.save(text=URL)
    assert mentions(session) == 1
    mounted.save(text="")
    mounted.app.config["SERVER_NAME"] = "forge.example"
    mounted.save(text=URL)
    assert mentions(session) == 1


def test_a_root_in_the_configuration_is_part_of_urls(mounted: Mounted, session: Session) -> None:
    mounted.app.config.update(SERVER_NAME="forge.example", APPLICATION_ROOT="/devops")
    mounted.save(text=URL)
    assert mentions(session) == 0
    mounted.save(text=URL.replace("/group", "/devops/group"))
    assert mentions(session) == 1


def test_applications_in_one_process_do_not_hear_each_other(
    mounted: Mounted, session: Session, tmp_path: Path
) -> None:
    other, _ = mount(mounted.host, tmp_path)
    heard: list[object] = []

    def hear(sender: object, **_facts: Any) -> None:
        heard.append(sender)

    with signals.candidate_mentioned.connected_to(hear), other.app_context():
        mounted.save(Flask("stranger"), text="[candidate:42]")
        assert mentions(session) == 0
        mounted.save(other, text="[candidate:42]")
    assert heard == [other]
    assert mentions(session) == 1


def test_announcements_are_heard_by_the_application_at_work_only(
    mounted: Mounted, session: Session
) -> None:
    heard: list[str] = []

    def hear(sender: Flask, **_facts: Any) -> None:
        heard.append(sender.name)

    with signals.candidate_mentioned.connected_to(hear, sender=mounted.app):
        with Flask("other").app_context():
            mounted.save(text="[candidate:42]")
        assert heard == []
        mounted.save(text="")
        with mounted.app.app_context():
            mounted.save(current_app._get_current_object(), text="[candidate:42]")  # type: ignore[attr-defined]
    assert heard == ["forge"]


def test_connecting_keeps_no_application_alive(session: Session, tmp_path: Path) -> None:
    host = FakeForge(lambda project: session).host()
    app, _ = mount(host, tmp_path)
    gone = weakref.ref(app)
    del app
    gc.collect()
    assert gone() is None


# Gates: what each event does is told in test_gate_publish.py; here, that it is heard.


@dataclass
class Gated:
    """An application with a merge request whose gate is closed."""

    app: Flask
    world: World

    def tell(self, event: str, **facts: Any) -> None:
        signal = getattr(self.world.host.events, event)
        signal.send(self.app, project=self.world.project, later="more", **facts)

    @property
    def state(self) -> str | None:
        states = [said[0] for said in self.world.repository.statuses.values()]
        return states[0] if states else None


@pytest.fixture
def gated(session: Session, tmp_path: Path) -> Gated:
    world = make_world(session)
    world.policy({**RULE, "floor": 0.9})
    world.propose(id="5")
    app, _ = mount(world.host, tmp_path)
    return Gated(app, world)


@pytest.mark.parametrize(
    ("event", "facts", "expected"),
    [
        ("pipeline_finished", {"ref": "feature", "sha": HEAD}, "failed"),
        ("pipeline_finished", {"ref": "main", "sha": BASE}, "failed"),
        ("pipeline_finished", {"ref": "other", "sha": BASE}, None),
        ("branch_moved", {"branch": "feature", "old": "", "new": HEAD}, "pending"),
        ("branch_moved", {"branch": "main", "old": BASE, "new": TARGET}, "failed"),
        ("state_changed", {"state": "opened"}, "failed"),
        ("state_changed", {"state": "merged"}, None),
        ("state_changed", {"state": "closed"}, None),
    ],
)
def test_gates_follow_the_forge(
    gated: Gated, event: str, facts: dict[str, Any], expected: str | None
) -> None:
    source = Source(gated.world.project.id, "merge_request", "5")
    pipeline = {"pipeline_id": "1", "status": "success", "merge_request": "5"}
    gated.tell(event, source=source, actor=AUTHOR, **{**pipeline, **facts})
    assert gated.state == expected


@pytest.mark.parametrize("event", ["pipeline_finished", "branch_moved", "state_changed"])
def test_a_forge_without_repositories_may_send_all(
    session: Session, tmp_path: Path, event: str
) -> None:
    world = make_world(session)
    host = world.forge.host()
    app, _ = mount(host, tmp_path)
    source = Source(world.project.id, "merge_request", "5")
    facts = {"branch": "main", "old": BASE, "new": HEAD, "ref": "main", "sha": HEAD}
    getattr(host.events, event).send(
        app, project=world.project, source=source, state="opened", actor=AUTHOR, **facts
    )


def test_gates_follow_candidates(gated: Gated, session: Session) -> None:
    world = gated.world
    candidate = world.train(accuracy=0.95, status=Status.RUNNING)
    access = WriteAccess(AUTHOR, world.project, session)
    with gated.app.app_context():
        candidates.change(access, candidate.eid, status=Status.FINISHED)
        session.commit()
        assert gated.state == "success"
        candidates.delete(access, candidate.eid)
        session.commit()
        assert gated.state == "failed"
        candidates.restore(access, candidate.eid)
        session.commit()
        assert gated.state == "success"


def test_candidates_of_an_application_move_no_gates_of_another(
    gated: Gated, session: Session
) -> None:
    candidate = gated.world.train(accuracy=0.95)
    with Flask("other").app_context():
        access = WriteAccess(AUTHOR, gated.world.project, session)
        candidates.delete(access, candidate.eid)
        session.commit()
    assert gated.state is None


def test_a_renamed_project_and_a_removed_user_are_heard(mounted: Mounted, session: Session) -> None:
    candidate = add_candidate(session, mounted.project, 43, actor_id=AUTHOR.id)
    job = {"job_id": "7", "pipeline_id": "3", "sha": "a" * 40, "ref": "main", "merge_request": ""}
    ids = {"project_id": mounted.project.id, "source_project_id": mounted.project.id}
    url = "/group/old/-/jobs/7"
    session.add(JobStamp(candidate_id=candidate.id, url=url, **job, **ids))
    session.flush()
    events = mounted.host.events
    events.project_renamed.send(mounted.app, project=mounted.project, old_path="group/old")
    assert session.scalar(select(JobStamp.url)) == "/group/project/-/jobs/7"
    events.user_removed.send(mounted.app, actor=AUTHOR)
    assert set(session.scalars(select(Candidate.actor_id))) == {None}


def test_our_own_signals_keep_no_application_alive(session: Session, tmp_path: Path) -> None:
    before = len(signals.candidate_finished.receivers)
    world = make_world(session)
    app, _ = mount(world.host, tmp_path)
    assert len(signals.candidate_finished.receivers) == before + 1
    gone = weakref.ref(app)
    del app
    gc.collect()
    assert gone() is None
    assert len(signals.candidate_finished.receivers) == before
