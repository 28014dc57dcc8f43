"""A text that begins to mention candidates gets one note, which tells no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from gitlab_mlops.hooks import receivers
from gitlab_mlops.host import Project, Source
from gitlab_mlops.mount import Mount
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import Storage
from tests.fakes import FakeForge, actor
from tests.unit.rows import add_candidates

AUTHOR = actor("author")


class Notes:
    """A forge that notes which candidates its issue mentions, unless `is_on` is False."""

    def __init__(self, session: Session, folder: Path, *, is_on: bool = True) -> None:
        self.forge = FakeForge(lambda project: session)
        self.project = self.forge.add_project("group/project", AUTHOR)
        self.session = session
        self.issue = self.forge.add_source(self.project)
        self.app = Flask("forge")
        self.host = self.forge.host()
        settings = Settings(system_notes=is_on)
        mount = Mount(self.host, settings, Storage("", default_folder=folder))
        receivers.connect(self.app, mount)
        add_candidates(session, self.project, range(1, 20))

    def add_project(self, path: str, *, public: bool = False) -> Project:
        project = self.forge.add_project(path, AUTHOR, public=public)
        add_candidates(self.session, project, range(1, 3))
        return project

    def save(self, text: str) -> list[str]:
        """What is noted when the issue says this."""
        before = len(self.forge.notes)
        self.host.events.text_saved.send(
            self.app, source=self.issue, project=self.project, actor=AUTHOR, text=text
        )
        return [note[2] for note in self.forge.notes[before:]]


@pytest.fixture
def notes(session: Session, tmp_path: Path) -> Notes:
    return Notes(session, tmp_path)


def test_what_is_new_is_noted_once(notes: Notes) -> None:
    assert notes.save("[candidate:2]") == ["mentioned [candidate:group/project/2]"]
    assert notes.save("[candidate:2]!") == []
    assert notes.save("[candidate:2], [candidate:3], [candidate:1]") == [
        "mentioned [candidate:group/project/1], [candidate:group/project/3]"
    ]
    assert notes.save("[candidate:99]") == []
    author, source, _ = notes.forge.notes[0]
    assert (author, source) == (AUTHOR, notes.issue)


def test_it_is_off_unless_it_is_switched_on(session: Session, tmp_path: Path) -> None:
    notes = Notes(session, tmp_path, is_on=False)
    assert notes.save("[candidate:2]") == []
    assert not Settings().system_notes


def test_a_note_does_not_tell_that_a_secret_exists(notes: Notes) -> None:
    notes.add_project("secret/project")
    notes.add_project("open/project", public=True)
    assert notes.save("[candidate:secret/project/1]") == []
    assert notes.save("[candidate:secret/project/2] [candidate:open/project/1]") == [
        "mentioned [candidate:open/project/1]"
    ]


def test_many_are_one_note(notes: Notes) -> None:
    (note,) = notes.save(" ".join(f"[candidate:{iid}]" for iid in range(1, 20)))
    assert note.count("[candidate:") == 10
    assert note.endswith("[candidate:group/project/10], 9 more")


def test_a_forge_without_notes_has_none(notes: Notes, tmp_path: Path) -> None:
    host = notes.forge.host(references=None)
    app = Flask("forge")
    mount = Mount(host, Settings(system_notes=True), Storage("", default_folder=tmp_path))
    receivers.connect(app, mount)
    source = Source(notes.project.id, "issue", "5")
    host.events.text_saved.send(
        app, source=source, project=notes.project, actor=AUTHOR, text="[candidate:1]"
    )
