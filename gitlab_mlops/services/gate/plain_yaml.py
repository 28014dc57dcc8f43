"""YAML as mappings, lists and texts that know their line; nothing that could do more than that.

Who may write a policy file is not always trusted, and it is read for every merge request: no
types (they could make objects), no references (a small file could become a huge tree), no key
twice (which of them counts, only the parser knows), and few levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_CHARACTERS = 64 * 1024
MAX_DEPTH = 8
# In C where there is one: the one in Python is twenty times slower.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class NotPlain(ValueError):
    """The text is no such YAML; says why in a sentence without a full stop, and in which line."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Tree:
    """A value that begins in `line`: a text, or trees in a list or below texts."""

    value: str | list[Tree] | dict[str, Tree]
    line: int


def read(text: str) -> Tree | None:
    """The one document of the text, None if it is empty; raises `NotPlain`."""
    if len(text) > MAX_CHARACTERS:
        raise NotPlain("it is longer than 64 KiB", 1)
    try:
        _check(yaml.parse(text, Loader=_LOADER))
        node = yaml.compose(text, Loader=_LOADER)
    except NotPlain:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotPlain(f"it is no YAML: {error.problem}", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # The parser in Python also stumbles over characters and versions with too large a number.
        raise NotPlain("it is no YAML: it has a character that YAML does not allow", 1) from None
    return None if node is None else _tree(node)


def _check(events: Iterator[Any]) -> None:
    """Raise for references, types and too many levels, before anything is built."""
    depth = 0
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise NotPlain(
                "it refers to another place with & or *, which is not allowed here", line
            )
        if getattr(event, "tag", None):
            raise NotPlain("it names a type with !, which is not allowed here", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise NotPlain("it has too many levels", line)


def _tree(node: Any) -> Tree:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Tree(node.value, line)
    if isinstance(node, yaml.SequenceNode):
        return Tree([_tree(each) for each in node.value], line)
    return Tree(_pairs(node), line)


def _pairs(node: Any) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise NotPlain("it has a key that is no word", line)
        if key.value in found:
            raise NotPlain(f"it says “{key.value[:50]}” twice in one place", line)
        found[key.value] = _tree(value)
    return found
