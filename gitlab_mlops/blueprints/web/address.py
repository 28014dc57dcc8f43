"""The address of a page whose links and forms change a part of its state and keep the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from gitlab_mlops.blueprints.web import state

Values = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is, and the named parts of its query; empty ones are left out of links."""

    path: str
    query: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, path: str, names: tuple[str, ...], **known: str) -> Address:
        """The page at `path` with what this request says of these names; `known` replaces it."""
        query = {name: state.texts(name) for name in names}
        return cls(path, query | {name: (value,) for name, value in known.items()})

    def url(self, at: str = "", **changes: Values) -> str:
        """The same page with another state, scrolled to the element with the id `at`."""
        given = {name: value for name, value in {**self.query, **changes}.items() if any(value)}
        query = f"?{urlencode(given, doseq=True)}" if given else ""
        return f"{self.path}{query}" + (f"#{at}" if at else "")

    def rest(self, *own: str) -> list[tuple[str, str]]:
        """(name, value) of the hidden fields of a form that has fields of its `own`."""
        kept = ((name, values) for name, values in self.query.items() if name not in own)
        return [(name, value) for name, values in kept for value in values if value]
