"""Repositories: what is written is a sound git repository, and what people name cannot harm it."""

from __future__ import annotations

import shutil
import subprocess
import threading

import pytest
from flask import Flask

from host_stub import repositories
from host_stub.database import db
from host_stub.projects import Project, create_project, delete_project
from host_stub.repositories import Change, Conflict, FileTooLarge
from host_stub.repositories.names import check_path
from host_stub.repositories.reading import Entry
from host_stub.users import User, create_user
from tests.host_stub.conftest import Code

HOSTILE_BRANCHES = [
    "", "-d", "--upload-pack=x", "HEAD", "@", "a..b", "../../config", "a/../b", "/a", "a/", "a//b",
    ".a", "a/.b", "a.lock", "a.lock/b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b",
    "a@{1}", "a\0b", "a\nb", "a\x7f", "\ud800", "x" * 241, "0" * 40, "a.",
]  # fmt: skip
HOSTILE_PATHS = [
    "", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a/", ".git/config", "a/.GIT/hooks/x",
    "git~1/config", ".git ", ".g\u200cit/config", "a\0b", "a\nb", "a\\b", "\ud800", "x" * 256,
    "/".join("a" * 41), "a" * 1025,
]  # fmt: skip


def git(code: Code, *words: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    folder = str(repositories.folder(code.project.id))
    command = ["git", "-C", folder, *words]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_project_begins_without_commits(code: Code) -> None:
    assert repositories.branches(code.project) == {}
    assert repositories.branch_head(code.project, "main") is None
    assert repositories.files(code.project, "main") is None
    assert repositories.file_at(code.project, "main", "README.md") is None
    assert repositories.commit_info(code.project, "0" * 40) is None
    assert repositories.merge_base(code.project, "main", "main") is None
    assert repositories.commits_between(code.project, "main", "main") == []
    assert repositories.reachable(code.project, ["0" * 40], "main") == set()
    assert repositories.log(code.project, "main") == []


def test_what_is_committed_can_be_read(code: Code) -> None:
    first = code.commit(files={"README.md": "# Größe", "src/a/b.py": b"\xff"}, message="Begin\n\nX")
    code.commit("feature/x", {"src/a/b.py": None, "new": "n"}, parent_branch="main")
    assert repositories.branch_head(code.project, "main") == first
    assert list(repositories.branches(code.project)) == ["feature/x", "main"]
    assert repositories.file_at(code.project, "main", "README.md") == "# Größe".encode()
    assert repositories.file_at(code.project, first[:8], "src/a/b.py") == b"\xff"
    assert repositories.files(code.project, "main") == [
        Entry("src", "src", True), Entry("README.md", "README.md", False)
    ]  # fmt: skip
    assert repositories.files(code.project, "main", "src/a") == [Entry("b.py", "src/a/b.py", False)]
    # A folder that is empty is none for git.
    assert [entry.path for entry in repositories.files(code.project, "feature/x") or []] == [
        "README.md", "new"
    ]  # fmt: skip
    info = repositories.commit_info(code.project, first)
    assert info is not None
    assert (info.title, info.body, info.author_name) == ("Begin", "X", "Cora Coder")
    assert info.author_email.startswith(f"{code.user.username}@")
    assert info.parents == ()


def test_repository_is_sound_for_git(code: Code) -> None:
    code.commit(files={"a": "1", "d/e/f": "2", "d-x": "3", "d.x": "4", "ü ö": "5"})
    code.commit("side", {"d/e/f": "side"})
    code.commit(files={"d/e/g": "main"})
    repositories.merge(code.project, "side", "main", code.user)
    code.commit(files={"d": None})
    git(code, "fsck", "--strict")
    assert git(code, "log", "--format=%an", "-1") == "Cora Coder"
    assert git(code, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(code, "show", "side:d/e/f") == "side"


def test_name_of_a_person_cannot_forge_an_author(code: Code) -> None:
    code.user.name = "Eve <root@example.org>\nparent 0"
    sha = code.commit()
    info = repositories.commit_info(code.project, sha)
    assert info is not None
    assert info.author_name == "Eve root@example.org parent 0"
    assert info.author_email.startswith(code.user.username)
    git(code, "fsck", "--strict")


@pytest.mark.parametrize("name", HOSTILE_BRANCHES)
def test_branch_that_git_forbids_is_refused_and_is_nowhere(code: Code, name: str) -> None:
    code.commit()
    with pytest.raises(ValueError, match="name of a branch"):
        code.commit(name)
    assert repositories.branch_head(code.project, name) is None
    assert repositories.file_at(code.project, name, "README.md") is None
    assert list(repositories.branches(code.project)) == ["main"]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_path_that_leads_elsewhere_is_refused_and_is_nowhere(code: Code, path: str) -> None:
    code.commit(files={"a": "x"})
    with pytest.raises(ValueError, match="path of a file"):
        code.commit(files={path: "x"})
    assert repositories.file_at(code.project, "main", path) is None
    assert path == "" or repositories.files(code.project, "main", path) is None


@pytest.mark.parametrize(
    "name", ["a", "a/b", "ä/ö", "v1.0_rc-1", "日本", "fix#1", "a%20b", "&<>\"'"]
)
def test_branch_that_git_allows_is_made(code: Code, name: str) -> None:
    assert code.commit(name) == repositories.branch_head(code.project, name)
    assert check_path(name) == name.encode()
    git(code, "check-ref-format", "--branch", name)


def test_branch_and_folder_of_branches_cannot_have_one_name(code: Code) -> None:
    code.commit("a")
    code.commit("x/y")
    for name in ("a/b", "x"):
        with pytest.raises(ValueError, match="another branch"):
            code.commit(name)
        assert repositories.branch_head(code.project, name) is None
    repositories.delete_branch(code.project, "a", code.user)
    assert code.commit("a/b")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"gone": None}, "no file"),
        ({"a/b": "x"}, "is a file"),
        ({"d": "x"}, "is a folder"),
        ({"new": "x", "new/below": "y"}, "is a file"),
        ({"big": b"x" * (5 * 1024 * 1024 + 1)}, "larger"),
    ],
)
def test_change_that_is_not_possible_is_refused(
    code: Code, files: dict[str, object], problem: str
) -> None:
    sha = code.commit(files={"a": "x", "d/e": "y"})
    with pytest.raises(ValueError, match=problem):
        code.commit(files=files)
    assert repositories.branch_head(code.project, "main") == sha


def test_file_can_become_a_folder_and_back(code: Code) -> None:
    code.commit(files={"a": "x"})
    code.commit(files={"a": None, "a/b": "y"})
    assert repositories.file_at(code.project, "main", "a/b") == b"y"
    code.commit(files={"a": None})
    code.commit(files={"a": "z"})
    assert repositories.file_at(code.project, "main", "a") == b"z"


def test_branch_begins_where_it_is_told_to(code: Code) -> None:
    main, other = code.commit(), code.commit("other")
    code.commit("from-main")
    code.commit("from-other", parent_branch="other")
    for branch, parent in (("from-main", main), ("from-other", other)):
        info = repositories.commit_info(code.project, branch) or repositories.commit_info(
            code.project, repositories.branch_head(code.project, branch) or ""
        )
        assert info is not None
        assert info.parents == (parent,)
    with pytest.raises(ValueError, match="no branch"):
        code.commit("from-nowhere", parent_branch="nowhere")


def test_message_must_say_something(code: Code) -> None:
    for message in ("", " \n", "x" * 100_001):
        with pytest.raises(ValueError, match=r"Say|at most"):
            code.commit(message=message)


def test_commit_is_found_by_a_short_sha_that_is_unambiguous(code: Code) -> None:
    sha = code.commit(files={"a": "x"})
    assert (found := repositories.commit_info(code.project, sha[:7]))
    assert found.sha == sha
    for unknown in (sha[:6], sha.upper(), sha + "0", sha[:7] + "\0", "../" + sha, "main", ""):
        assert repositories.commit_info(code.project, unknown) is None
    # The sha of a file is none of a commit.
    blob = git(code, "rev-parse", "main:a")
    assert repositories.commit_info(code.project, blob) is None
    assert repositories.reachable(code.project, [blob, sha], "main") == {sha}


def test_branch_comes_before_a_short_sha_of_the_same_name(code: Code) -> None:
    first = code.commit(files={"a": "first"})
    code.commit(first[:8], {"a": "branch"})
    assert repositories.file_at(code.project, first[:8], "a") == b"branch"
    assert repositories.file_at(code.project, first, "a") == b"first"


def test_file_beyond_the_limit_is_not_read(code: Code) -> None:
    code.commit(files={"a": "12345"})
    assert repositories.file_at(code.project, "main", "a", max_bytes=5) == b"12345"
    with pytest.raises(FileTooLarge):
        repositories.file_at(code.project, "main", "a", max_bytes=4)


def test_changed_files_are_those_against_the_first_parent(code: Code) -> None:
    first = code.commit(files={"a": "1", "d/b": "1", "c": "1"})
    second = code.commit(files={"a": "2", "d/b": None, "new": "1"})
    assert repositories.changed_files(code.project, first, limit=2) == [
        Change("a", "added"), Change("c", "added")
    ]  # fmt: skip
    assert set(repositories.changed_files(code.project, second)) == {
        Change("a", "modified"), Change("d/b", "deleted"), Change("new", "added")
    }  # fmt: skip
    assert repositories.changed_files(code.project, "0" * 40) == []


def test_merging_what_has_nothing_new_is_a_fast_forward(code: Code) -> None:
    code.commit()
    head = code.commit("feature")
    assert repositories.merge(code.project, "feature", "main", code.user) == head
    assert repositories.merge(code.project, "feature", "main", code.user) == head


def test_merging_brings_the_changes_of_both(code: Code) -> None:
    base = code.commit(files={"a": "0", "b": "0", "d/x": "0"})
    theirs = code.commit("feature", {"a": "1", "d/y": "1"})
    ours = code.commit(files={"b": "2", "d/x": None})
    sha = repositories.merge(code.project, "feature", "main", code.user, "Bring it in")
    info = repositories.commit_info(code.project, sha)
    assert info is not None
    assert (info.parents, info.title) == ((ours, theirs), "Bring it in")
    found = [repositories.file_at(code.project, "main", path) for path in ("a", "b", "d/x", "d/y")]
    assert found == [b"1", b"2", None, b"1"]
    assert repositories.merge_base(code.project, base, "main") == base


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"a": "1"}, {"a": "2"}),
        ({"a": None}, {"a": "2"}),
        ({"a": "1"}, {"a": None, "a/b": "2"}),
        ({"n": "1"}, {"n": "2"}),
        ({"n": "1"}, {"n/b": "2"}),
    ],
)
def test_files_that_both_have_changed_are_a_conflict(
    code: Code, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    code.commit(files={"a": "0", "b": "0"})
    code.commit("feature", theirs)
    sha = code.commit(files=ours)
    with pytest.raises(Conflict, match=r"Both branches have changed [an]"):
        repositories.merge(code.project, "feature", "main", code.user)
    assert repositories.branch_head(code.project, "main") == sha


def test_merging_needs_both_branches(code: Code) -> None:
    code.commit()
    for source, target in (("missing", "main"), ("main", "missing")):
        with pytest.raises(ValueError, match="no branch “missing”"):
            repositories.merge(code.project, source, target, code.user)


def test_default_branch_is_not_deleted(code: Code) -> None:
    code.commit()
    code.commit("feature")
    repositories.delete_branch(code.project, "feature", code.user)
    assert list(repositories.branches(code.project)) == ["main"]
    for name in ("main", "feature"):
        with pytest.raises(ValueError, match="branch"):
            repositories.delete_branch(code.project, name, code.user)


def test_commits_of_several_at_once_all_stay(app: Flask, code: Code) -> None:
    code.commit()
    db.session.commit()
    project_id, user_id = code.project.id, code.user.id
    errors: list[Exception] = []

    def work(number: int) -> None:
        with app.app_context():
            project = db.session.get_one(Project, project_id)
            author = db.session.get_one(User, user_id)
            try:
                for step in range(5):
                    files = {f"{number}-{step}": "x"}
                    repositories.commit(project, "main", files, "Work", author)
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(repositories.log(code.project, "main", limit=100)) == 21
    assert len(repositories.files(code.project, "main") or []) == 21


def test_repository_goes_with_its_project_when_that_is_committed(code: Code) -> None:
    code.commit()
    folder = repositories.folder(code.project.id)
    delete_project(code.project)
    db.session.rollback()
    db.session.commit()
    assert folder.exists()
    delete_project(db.session.get_one(Project, code.project.id))
    assert folder.exists()
    db.session.commit()
    assert not folder.exists()


def test_project_does_not_inherit_what_a_rollback_left_behind(code: Code) -> None:
    other = create_project(code.user, "other")
    repositories.commit(other, "main", {"secret": "x"}, "Begin", code.user)
    number = other.id
    db.session.rollback()
    user = create_user(f"next-{number}")
    for name in ("a", "b"):
        project = create_project(user, name)
        assert repositories.branches(project) == {}
        if project.id == number:
            break
