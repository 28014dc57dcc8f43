"""A commit as files in a folder, with a `.git` that says which commit it is."""

from __future__ import annotations

from pathlib import Path

from dulwich.objects import ObjectID
from dulwich.repo import Repo

from host_stub.repositories.folders import Numbered, writing
from host_stub.repositories.names import branch_ref, is_branch
from host_stub.repositories.reading import commit_in
from host_stub.repositories.writing import wants

NO_BRANCH = "job"


def check_out(project: Numbered, sha: str, branch: str, path: Path, *, url: str) -> None:
    """Make a clone with this commit as the head of `branch` in a folder that does not exist yet.

    `url` is where its `origin` is said to be.
    """
    name = branch if is_branch(branch) else NO_BRANCH
    head = ObjectID(sha.encode())
    with (
        writing(project) as origin,
        Repo.init(str(path), mkdir=True, default_branch=name.encode()) as clone,
    ):
        origin.fetch(clone, determine_wants=wants([head]))
        clone.refs[branch_ref(name)] = head
        settings = clone.get_config()
        settings.set(("remote", "origin"), "url", url)
        settings.write_to_path()
        clone.get_worktree().reset_index(commit_in(clone, head).tree)
