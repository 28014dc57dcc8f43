"""Trees: a folder with some files changed, and the changes of two branches in one."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, ObjectID, Tree

FILE = 0o100644
_Entry = tuple[int, ObjectID]
"""Mode and sha of a file or folder."""


class Conflict(ValueError):
    """Two branches have changed the same files."""


def write_tree(
    store: BaseObjectStore, tree_id: ObjectID | None, changes: Mapping[bytes, bytes | None]
) -> ObjectID:
    """Store the tree with these changes, and give its sha."""
    tree = Tree() if tree_id is None else _tree(store, tree_id)
    below: dict[bytes, dict[bytes, bytes | None]] = {}
    for path, content in changes.items():
        name, _, rest = path.partition(b"/")
        if rest:
            below.setdefault(name, {})[rest] = content
        else:
            _put(store, tree, name, content)
    for name, inner in below.items():
        folder = _folder(tree, name)
        written = write_tree(store, folder, inner)
        if len(_tree(store, written)):
            tree[name] = (stat.S_IFDIR, written)
        elif folder is not None:
            del tree[name]
    return _stored(store, tree)


def merge_trees(
    store: BaseObjectStore, base: ObjectID | None, ours: ObjectID, theirs: ObjectID
) -> ObjectID:
    """Store the tree with the changes that both made since `base`, and give its sha.

    Files are merged as a whole: raises `Conflict` if both have changed the same one.
    """
    merge = _Merge(store)
    before = None if base is None else (stat.S_IFDIR, base)
    merged = merge.entry(b"", before, (stat.S_IFDIR, ours), (stat.S_IFDIR, theirs))
    if merge.conflicts:
        names = ", ".join(path.decode() for path in merge.conflicts[:5])
        raise Conflict(
            f"Both branches have changed {names}. Merge the target into the source branch first."
        )
    return _stored(store, Tree()) if merged is None else merged[1]


@dataclass
class _Merge:
    """A merge of three trees: what became of a file or folder in two of them since the third."""

    store: BaseObjectStore
    conflicts: list[bytes] = field(default_factory=list)

    def entry(
        self, path: bytes, base: _Entry | None, ours: _Entry | None, theirs: _Entry | None
    ) -> _Entry | None:
        if ours == theirs or theirs == base:
            return ours
        if ours == base:
            return theirs
        if all(entry is None or stat.S_ISDIR(entry[0]) for entry in (base, ours, theirs)):
            return self._folder(path, base, ours, theirs)
        self.conflicts.append(path)
        return ours

    def _folder(
        self, path: bytes, base: _Entry | None, ours: _Entry | None, theirs: _Entry | None
    ) -> _Entry | None:
        """Both have changed something below; one that is missing was emptied by this side."""
        trees = [_entries(self.store, entry) for entry in (base, ours, theirs)]
        merged = Tree()
        for name in sorted(set().union(*trees)):
            below = path + b"/" + name if path else name
            entry = self.entry(below, *(tree.get(name) for tree in trees))
            if entry is not None:
                merged[name] = entry
        return (stat.S_IFDIR, _stored(self.store, merged)) if len(merged) else None


def _entries(store: BaseObjectStore, folder: _Entry | None) -> dict[bytes, _Entry]:
    if folder is None:
        return {}
    return {item.path: (item.mode, item.sha) for item in _tree(store, folder[1]).iteritems()}


def _stored(store: BaseObjectStore, tree: Tree) -> ObjectID:
    store.add_object(tree)
    return tree.id


def _put(store: BaseObjectStore, tree: Tree, name: bytes, content: bytes | None) -> None:
    mode = tree[name][0] if name in tree else None
    if content is None:
        if mode is None:
            raise ValueError(f"There is no file “{name.decode()}” to delete.")
        del tree[name]
        return
    if mode is not None and stat.S_ISDIR(mode):
        raise ValueError(f"“{name.decode()}” is a folder.")
    blob = Blob.from_string(content)
    store.add_object(blob)
    tree[name] = (mode or FILE, blob.id)


def _folder(tree: Tree, name: bytes) -> ObjectID | None:
    if name not in tree:
        return None
    mode, sha = tree[name]
    if not stat.S_ISDIR(mode):
        raise ValueError(f"“{name.decode()}” is a file, and no folder.")
    return sha


def _tree(store: BaseObjectStore, sha: ObjectID) -> Tree:
    return cast(Tree, store[sha])
