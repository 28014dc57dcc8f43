"""How a text names a candidate: `[candidate:42]`, `[candidate:group/project/42]`, or by URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Place:
    """A project as a text names it: by `path`, or by the `page` it has below the forge's root.

    Both without slashes around them. Neither: the project that the text is in.
    """

    path: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A candidate as a text names it."""

    place: Place
    iid: int


# GitLab's characters for full paths, and `+` and `~`, which other forges allow.
_PATH = r"(?P<path>(?:[A-Za-z0-9_.~][A-Za-z0-9_.~+-]*/)*)"
_PAGE = r"(?P<page>(?:(?!-/)[A-Za-z0-9_.~+@%-]+/)+)"
_IID = "[1-9][0-9]{0,8}"
_BRACKETS = rf"\[candidate:{_PATH}(?P<iid>{_IID})\]"
# A URL that goes on is another page, and a full stop or a question mark after it is the sentence's.
_URL_END = r"(?![/%~+@=#-]|[?.:]?\w)"
_NO_URL = r"(?!)(?P<page>)(?P<page_iid>)"


@lru_cache(maxsize=16)
def pattern(url_root: str) -> re.Pattern[str]:
    """Matches references, in linear time; full URLs are those below `url_root` (empty: none)."""
    url = _url(url_root) if url_root else _NO_URL
    return re.compile(rf"{_BRACKETS}|{url}", re.ASCII)


def _url(root: str) -> str:
    """A forge behind a proxy may not know whether it is on http or https, so both will do."""
    host, _, path = root.partition("://")[2].partition("/")
    address = rf"(?<![\w=/])(?i:https?://{re.escape(host)})/{re.escape(path)}"
    return rf"{address}{_PAGE}-/ml/candidates/(?P<page_iid>{_IID}){_URL_END}"


def reference(match: re.Match[str]) -> Reference:
    """What a match of `pattern` names."""
    if match["page"]:
        return Reference(Place(page=match["page"][:-1]), int(match["page_iid"]))
    return Reference(Place(path=match["path"][:-1]), int(match["iid"]))


def references(text: str, url_root: str) -> Iterator[Reference]:
    """All references in a plain text."""
    return map(reference, pattern(url_root).finditer(text))
