"""How a text names things: `[candidate:42]`, `[model:group/project/churn@champion]`, or by URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote


class Kind(StrEnum):
    """What can be referred to, by the word that stands before the colon."""

    CANDIDATE = "candidate"
    EXPERIMENT = "experiment"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Place:
    """A project as a text names it: by `path`, or by the `page` it has below the forge's root.

    Both without slashes around them. Neither: the project that the text is in.
    """

    path: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing as a text names it: a candidate or experiment by `iid`, a model by `name`.

    Of a model, `version` (0: none) or `alias` may name one version.
    """

    place: Place
    kind: Kind
    iid: int = 0
    name: str = ""
    version: int = 0
    alias: str = ""


# GitLab's characters for full paths, and `+` and `~`, which other forges allow.
_PATH = r"(?:[A-Za-z0-9_.~][A-Za-z0-9_.~+-]*/)*"
_PAGE = r"(?P<page>(?:(?!-/)[A-Za-z0-9_.~+@%-]+/)+)"
_NUMBER = "[1-9][0-9]{0,8}"
# Every project has an experiment 0.
_EXPERIMENT = f"(?:0|{_NUMBER})"
# Words with single spaces between them. Not MLflow's own `/` and `:`, and nothing that HTML or
# Markdown may write in another way.
_WORD = r"[^\x00-\x20\x7f-\xa0/:@\[\]<>&\"'`\\]+"
_NAME = rf"{_WORD}(?: {_WORD})*"
_ALIAS = "[A-Za-z0-9_-]{1,255}"
# A number after a slash is a version, so a model that is called like a number has no path.
_MODEL = (
    rf"(?P<model_path>{_PATH})(?:(?P<versioned>{_NAME})/(?P<version>{_NUMBER})"
    rf"|(?!(?<=/)[0-9]+\])(?P<name>{_NAME})(?:@(?P<alias>{_ALIAS}))?)"
)
_BRACKETS = (
    rf"\[(?:candidate:(?P<path>{_PATH})(?P<iid>{_NUMBER})"
    rf"|experiment:(?P<experiment_path>{_PATH})(?P<experiment>{_EXPERIMENT})|model:{_MODEL})\]"
)
# A URL that goes on is another page, and a full stop or a question mark after it is the sentence's.
_URL_END = r"(?![/%~+@=#-]|[?.:]?\w)"
_SEGMENT = r"[A-Za-z0-9_~+@%-]++(?:\.[A-Za-z0-9_~+@%-]++)*+"
_URL_PAGE = (
    rf"(?:candidates/(?P<page_iid>{_NUMBER})|experiments/(?P<page_experiment>{_EXPERIMENT})"
    rf"|models/(?P<page_model>{_SEGMENT})(?:/versions/(?P<page_version>{_NUMBER}))?)"
)
_NO_URL = f"(?!){_PAGE}{_URL_PAGE}"


@lru_cache(maxsize=16)
def pattern(url_root: str) -> re.Pattern[str]:
    """Matches references, in linear time; full URLs are those below `url_root` (empty: none)."""
    url = _url(url_root) if url_root else _NO_URL
    return re.compile(rf"{_BRACKETS}|{url}", re.ASCII)


def _url(root: str) -> str:
    """A forge behind a proxy may not know whether it is on http or https, so both will do."""
    host, _, path = root.partition("://")[2].partition("/")
    address = rf"(?<![\w=/])(?i:https?://{re.escape(host)})/{re.escape(path)}"
    return rf"{address}{_PAGE}-/ml/{_URL_PAGE}{_URL_END}"


def reference(match: re.Match[str]) -> Reference:
    """What a match of `pattern` names."""
    if match["page"]:
        return _by_url(match)
    if iid := match["iid"]:
        return Reference(_at(match["path"]), Kind.CANDIDATE, int(iid))
    if iid := match["experiment"]:
        return Reference(_at(match["experiment_path"]), Kind.EXPERIMENT, int(iid))
    return Reference(
        _at(match["model_path"]),
        Kind.MODEL,
        name=match["versioned"] or match["name"],
        version=int(match["version"] or 0),
        alias=match["alias"] or "",
    )


def references(text: str, url_root: str) -> Iterator[Reference]:
    """All references in a plain text."""
    return map(reference, pattern(url_root).finditer(text))


def _at(path: str) -> Place:
    return Place(path=path[:-1])


def _by_url(match: re.Match[str]) -> Reference:
    place = Place(page=match["page"][:-1])
    if iid := match["page_iid"]:
        return Reference(place, Kind.CANDIDATE, int(iid))
    if iid := match["page_experiment"]:
        return Reference(place, Kind.EXPERIMENT, int(iid))
    version = int(match["page_version"] or 0)
    return Reference(place, Kind.MODEL, name=unquote(match["page_model"]), version=version)
