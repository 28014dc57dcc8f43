"""What is in a repository: branches, commits and files. Nothing here checks a right."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import cast

from dulwich.diff_tree import TreeChange, tree_changes
from dulwich.errors import NotTreeError
from dulwich.object_store import tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, SubmoduleEncountered, Tree
from dulwich.repo import Repo

from host_stub.repositories.folders import Numbered, reading
from host_stub.repositories.names import SHA, SHORT_SHA, branch_ref, is_branch, path_bytes

MAX_FILE = 1024 * 1024
"""Bytes of a file that are read, unless the caller asks for more."""
MAX_CHANGES = 300
"""Changed files of a commit that are listed."""
KINDS = {"add": "added", "delete": "deleted"}


class FileTooLarge(ValueError):
    """There is such a file, and it is larger than what was asked for."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit. `title` is the first line of `message`; `time` is in seconds since 1970."""

    sha: str
    title: str
    message: str
    author_name: str
    author_email: str
    time: int
    parents: tuple[str, ...]

    @property
    def short(self) -> str:
        """The sha as people write it."""
        return self.sha[:8]

    @property
    def body(self) -> str:
        """The message without its title."""
        return self.message.partition("\n")[2].strip()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a folder."""

    name: str
    path: str
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit `added`, `modified` or `deleted`."""

    path: str
    kind: str


def branches(project: Numbered) -> dict[str, str]:
    """The branches by name, each with the sha of its newest commit."""
    with reading(project) as repository:
        if repository is None:
            return {}
        found = repository.refs.as_dict(b"refs/heads")  # type: ignore[arg-type]
        return {name.decode(): sha.decode() for name, sha in sorted(found.items())}


def branch_head(project: Numbered, branch: str) -> str | None:
    """The sha of the newest commit of a branch; None if there is no such branch."""
    with reading(project) as repository:
        sha = None if repository is None else head_in(repository, branch)
        return None if sha is None else sha.decode()


def resolve(project: Numbered, ref_or_sha: str) -> str | None:
    """The full sha of a branch's head, or of a full or unambiguous short sha; else None."""
    with reading(project) as repository:
        sha = None if repository is None else find_in(repository, ref_or_sha)
        return None if sha is None else sha.decode()


def commit_info(project: Numbered, sha: str) -> CommitInfo | None:
    """The commit of this sha, full or unambiguous and of 7 digits at least; else None."""
    with reading(project) as repository:
        found = None if repository is None else _by_sha(repository, sha)
        if repository is None or found is None:
            return None
        return info_of(commit_in(repository, found))


def file_at(
    project: Numbered, ref_or_sha: str, path: str, *, max_bytes: int = MAX_FILE
) -> bytes | None:
    """What a file holds at a branch or commit; None if there is no such file.

    Raises `FileTooLarge` if it holds more than `max_bytes`.
    """
    with reading(project) as repository:
        found = None if repository is None else _object_at(repository, ref_or_sha, path)
        if not isinstance(found, Blob):
            return None
        if found.raw_length() > max_bytes:
            raise FileTooLarge(f"{path} is larger than {max_bytes} bytes.")
        return found.data


def files(project: Numbered, ref_or_sha: str, path: str = "") -> list[Entry] | None:
    """What is in a folder (the whole repository without `path`), folders first; else None."""
    with reading(project) as repository:
        found = None if repository is None else _object_at(repository, ref_or_sha, path)
        if not isinstance(found, Tree):
            return None
        entries = [
            Entry(
                name=item.path.decode(),
                path=f"{path}/{item.path.decode()}" if path else item.path.decode(),
                is_folder=stat.S_ISDIR(item.mode),
            )
            for item in found.iteritems()
        ]
        return sorted(entries, key=lambda entry: (not entry.is_folder, entry.name))


def changed_files(project: Numbered, sha: str, *, limit: int = MAX_CHANGES) -> list[Change]:
    """The files that a commit changed, against its first parent; at most `limit`."""
    with reading(project) as repository:
        found = None if repository is None else _by_sha(repository, sha)
        if repository is None or found is None:
            return []
        commit = commit_in(repository, found)
        before = commit_in(repository, commit.parents[0]).tree if commit.parents else None
        changes = tree_changes(repository.object_store, before, commit.tree)
        return [_change(change) for change, _ in zip(changes, range(limit), strict=False)]


def find_in(repository: Repo, ref_or_sha: str) -> ObjectID | None:
    """As `resolve`, in an open repository. A branch comes before a short sha of its name."""
    return head_in(repository, ref_or_sha) or _by_sha(repository, ref_or_sha)


def head_in(repository: Repo, branch: str) -> ObjectID | None:
    """As `branch_head`, in an open repository."""
    if not is_branch(branch):
        return None
    try:
        return repository.refs[branch_ref(branch)]
    except KeyError:
        return None


def commit_in(repository: Repo, sha: ObjectID) -> Commit:
    """The commit of a sha that is known to be one."""
    return cast(Commit, repository.object_store[sha])


def info_of(commit: Commit) -> CommitInfo:
    """A commit in words."""
    message = _text(commit.message).strip()
    name, _, email = _text(commit.author).rpartition(" <")
    return CommitInfo(
        sha=commit.id.decode(),
        title=message.partition("\n")[0],
        message=message,
        author_name=name,
        author_email=email.removesuffix(">"),
        time=commit.commit_time,
        parents=tuple(parent.decode() for parent in commit.parents),
    )


def _by_sha(repository: Repo, sha: str) -> ObjectID | None:
    """The one commit whose sha begins so."""
    if not SHORT_SHA.fullmatch(sha):
        return None
    store = repository.object_store
    name = ObjectID(sha.encode())
    found = [name] if SHA.fullmatch(sha) and name in store else list(store.iter_prefix(name))
    commits = {one for one in found if isinstance(store[one], Commit)}
    return commits.pop() if len(commits) == 1 else None


def _object_at(repository: Repo, ref_or_sha: str, path: str) -> object:
    sha = find_in(repository, ref_or_sha)
    if sha is None:
        return None
    tree = commit_in(repository, sha).tree
    if not path:
        return repository.object_store[tree]
    raw = path_bytes(path)
    if raw is None:
        return None
    try:
        _, found = tree_lookup_path(repository.object_store.__getitem__, tree, raw)
    except (KeyError, NotTreeError, SubmoduleEncountered):
        return None
    return repository.object_store[found]


def _change(change: TreeChange) -> Change:
    paths = [side.path for side in (change.new, change.old) if side is not None and side.path]
    return Change(_text(paths[0]), KINDS.get(change.type, "modified"))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
