"""What is done to a repository: commits, merges, branches, copies.

Git knows no transaction of the database: what is written here stays when that is rolled back. So
the forge checks first, writes here next, and changes its rows last.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from dulwich.file import FileLocked
from dulwich.objects import ZERO_SHA, Commit, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from host_stub.database import now
from host_stub.events import announce_branch_moved
from host_stub.repositories.folders import DEFAULT_BRANCH, Numbered, reading, writing
from host_stub.repositories.graph import Graph
from host_stub.repositories.names import branch_ref, check_branch, check_path
from host_stub.repositories.reading import commit_in, find_in, head_in
from host_stub.repositories.trees import merge_trees, write_tree

if TYPE_CHECKING:
    from host_stub.projects import Project
    from host_stub.users import User

Content = bytes | str | None
MAX_CONTENT = 5 * 1024 * 1024
"""Bytes of a file that can be committed."""
MAX_MESSAGE = 100_000
EMAILS = "users.noreply.forge.invalid"
ATTEMPTS = 20


def commit(
    project: Project,
    branch: str,
    files: Mapping[str, Content],
    message: str,
    author: User,
    parent_branch: str | None = None,
    *,
    time: int | None = None,
) -> str:
    """Change files (None deletes one) on top of a branch; the sha of the commit.

    A branch that is missing is made from `parent_branch`, or else from the default branch. `time`
    (seconds since 1970) is now unless it is given, and never before the parent's. Raises
    `ValueError` for a name or path that git does not allow, or a change that is not possible.
    """
    check_branch(branch)
    changes = {check_path(path): _content(path, content) for path, content in files.items()}
    text = _message(message)
    with writing(project) as repository:

        def build(head: ObjectID | None) -> ObjectID:
            parent = head or _start_of(repository, parent_branch)
            tree = commit_in(repository, parent).tree if parent else None
            changed = write_tree(repository.object_store, tree, changes)
            return _store(repository, changed, [parent] if parent else [], text, author, time)

        old, new = _move(repository, branch, build)
    announce_branch_moved(project, branch, old, new, author)
    return new


def merge(
    project: Project, source: str, target_branch: str, user: User, message: str | None = None
) -> str:
    """Merge a branch (or sha) into another branch; the sha that this one has then.

    Fast-forward if the target has nothing new, and otherwise a commit with two parents, which
    says `message`. Raises `Conflict` if both have changed the same files, and `ValueError` if one
    of them is missing.
    """
    with writing(project) as repository:
        theirs = find_in(repository, source)
        if theirs is None or head_in(repository, target_branch) is None:
            raise ValueError(f"There is no branch “{source if theirs is None else target_branch}”.")

        def build(ours: ObjectID | None) -> ObjectID:
            if ours is None:
                raise ValueError(f"The branch “{target_branch}” was deleted.")
            base = Graph(repository).compare(ours, theirs).base
            if base == theirs:
                return ours
            if base == ours:
                return theirs
            ancestor = None if base is None else commit_in(repository, base).tree
            tree = merge_trees(
                repository.object_store,
                ancestor,
                commit_in(repository, ours).tree,
                commit_in(repository, theirs).tree,
            )
            text = message or f"Merge branch '{source}' into '{target_branch}'"
            return _store(repository, tree, [ours, theirs], _message(text), user, None)

        old, new = _move(repository, target_branch, build)
    if old != new:
        announce_branch_moved(project, target_branch, old, new, user)
    return new


def delete_branch(project: Project, branch: str, user: User) -> None:
    """Delete a branch; its commits stay. Raises `ValueError` for the default branch or none."""
    if branch == DEFAULT_BRANCH:
        raise ValueError("The default branch cannot be deleted.")
    with writing(project) as repository:
        old = head_in(repository, branch)
        if old is None:
            raise ValueError(f"There is no branch “{branch}”.")
        repository.refs.remove_if_equals(branch_ref(branch), old)
    announce_branch_moved(project, branch, old.decode(), None, user)


def copy_branches(source: Numbered, target: Numbered) -> None:
    """Make the branches of one project those of another, which has none: a fork."""
    with reading(source) as original:
        if original is None:
            return
        heads = original.refs.as_dict(Ref(b"refs/heads"))
        with writing(target) as repository:
            original.fetch(repository, determine_wants=wants(heads.values()))
            for name, sha in heads.items():
                repository.refs[Ref(b"refs/heads/" + name)] = sha


def keep(project: Numbered, name: str, sha: str, source: Numbered) -> None:
    """Keep a commit of `source` as `refs/<name>` of the project, whatever its branch does then.

    Takes the commit over with all before it if `source` is another project, a fork.
    """
    wanted = ObjectID(sha.encode())
    with writing(project) as repository:
        if wanted not in repository.object_store:
            with writing(source) as original:
                original.fetch(repository, determine_wants=wants([wanted]))
        repository.refs[_hidden(name)] = wanted


def kept(project: Numbered, name: str) -> str | None:
    """The sha that was kept as `refs/<name>`, or None."""
    with reading(project) as repository:
        try:
            return None if repository is None else repository.refs[_hidden(name)].decode()
        except KeyError:
            return None


def wants(shas: Iterable[ObjectID]) -> Callable[..., list[ObjectID]]:
    """What to fetch; git's protocol asks with what there is and how deep."""
    return lambda _refs, _depth=None: list(shas)


def _hidden(name: str) -> Ref:
    return Ref(f"refs/{name}".encode())


def _move(
    repository: Repo, branch: str, build: Callable[[ObjectID | None], ObjectID]
) -> tuple[str | None, str]:
    """Let a branch lead to what `build` makes on top of it; once more if somebody was faster."""
    ref = branch_ref(branch)
    for _ in range(ATTEMPTS):
        old = head_in(repository, branch)
        new = build(old)
        try:
            if repository.refs.set_if_equals(ref, old or ZERO_SHA, new):
                return None if old is None else old.decode(), new.decode()
        except FileLocked:
            pass
        except (NotADirectoryError, IsADirectoryError, FileExistsError):
            raise ValueError(
                f"“{branch}” cannot be made: another branch has the name of its folder."
            ) from None
        clock.sleep(0.01)
    raise ValueError(f"The branch “{branch}” moves on too fast; try again.")


def _start_of(repository: Repo, parent_branch: str | None) -> ObjectID | None:
    """Where a new branch begins; None in an empty repository."""
    head = head_in(repository, parent_branch or DEFAULT_BRANCH)
    if head is None and parent_branch is not None:
        raise ValueError(f"There is no branch “{parent_branch}”.")
    return head


def _store(
    repository: Repo,
    tree: ObjectID,
    parents: list[ObjectID],
    message: bytes,
    user: User,
    time: int | None,
) -> ObjectID:
    made = Commit()
    made.tree, made.parents, made.message = tree, parents, message
    made.author = made.committer = _identity(user)
    moment = max([now() if time is None else time, *map(Graph(repository).time, parents)])
    made.author_time = made.commit_time = moment
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    repository.object_store.add_object(made)
    return made.id


def _content(path: str, content: Content) -> bytes | None:
    raw = content.encode() if isinstance(content, str) else content
    if raw is not None and len(raw) > MAX_CONTENT:
        raise ValueError(f"{path} is larger than {MAX_CONTENT} bytes.")
    return raw


def _message(text: str) -> bytes:
    cleaned = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not cleaned:
        raise ValueError("Say what the commit does.")
    if len(cleaned) > MAX_MESSAGE:
        raise ValueError(f"A message has at most {MAX_MESSAGE} characters.")
    return f"{cleaned}\n".encode(errors="replace")


def _identity(user: User) -> bytes:
    """The author as git writes it; the signs that end a name in there become spaces."""
    name = " ".join("".join(" " if c in "<>\0\n\r" else c for c in user.name).split())
    email = f"{user.username}@{EMAILS}"
    return f"{name or user.username} <{email}>".encode(errors="replace")
