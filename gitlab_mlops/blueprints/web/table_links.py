"""Where the links and forms around the table of candidates lead: the same table, a bit changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.rows import Row
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.models import PARENT_TAG


@dataclass(frozen=True, slots=True)
class TableLinks:
    """Addresses of the table of an experiment, from the state in which it is shown."""

    links: Links
    experiment_iid: int
    state: TableState

    def url(self, **changes: str | tuple[str, ...]) -> str:
        """The same table with these changes, on its first page."""
        return self.links.experiment(self.experiment_iid, **self.state.query(**changes))

    def fold_url(self, row: Row) -> str:
        """This page with a parent unfolded, or folded if it is open."""
        iid = row.record.iid
        others = [each for each in self.state.open if each != iid]
        # If there are too many, the first that were unfolded fold.
        kept = others if row.is_open else [*others, iid][-state.MAX_OPEN :]
        url = self.url(open=state.numbers_text(kept), rows="tree", page_token=self.state.page_token)
        return f"{url}#mlops-row-{iid}"

    def children_url(self, eid: str) -> str:
        """All children of a candidate."""
        filter_ = f"tags.`{PARENT_TAG}` = '{eid}'"
        return self.links.experiment(
            self.experiment_iid, filter=filter_, order_by=self.state.order_by
        )

    def back(self) -> str:
        """The query of this page, for a form that leads back to it; nothing is ticked there."""
        url = self.url(page_token=self.state.page_token, selected="")
        return url.partition("?")[2]

    def hidden(
        self, without: Sequence[str] = (), **more: str | tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        """The state as the hidden fields of a form that changes a part of it."""
        for name, value in self.state.query(**more).items():
            if name not in without:
                values = (value,) if isinstance(value, str) else value
                yield from ((name, each) for each in values if each)
