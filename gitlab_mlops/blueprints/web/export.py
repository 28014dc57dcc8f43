"""Downloads of all candidates that a filter finds, as CSV or JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from flask import Flask, Response, current_app, request

from gitlab_mlops.access import ReadAccess, grant
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import export_formats, state
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.blueprints.web.export_formats import Batch, attributes_of
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.blueprints.web.rendering import people
from gitlab_mlops.blueprints.web.source import SOURCE_TAGS
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import cells, overview
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.search import Page, Position, search_candidates
from gitlab_mlops.storage.labels import disposition

PER_PIECE = 500
"""Candidates that are read, and are in memory, at once."""
MAX_NAME = 60
"""Characters of a project's or experiment's name in the name of the file."""

Pieces = Callable[[Sequence[ColumnName], Iterator[Batch]], Iterator[bytes]]


@page(f"{EXPERIMENT}/export.csv", access=ReadAccess)
def export_csv(access: ReadAccess, experiment_iid: int) -> Response:
    """The candidates of an experiment as CSV."""
    pieces = export_formats.csv_pieces
    return _download(access, experiment_iid, pieces, "csv", "text/csv; charset=utf-8")


@page(f"{EXPERIMENT}/export.json", access=ReadAccess)
def export_json(access: ReadAccess, experiment_iid: int) -> Response:
    """The candidates of an experiment as JSON."""
    return _download(access, experiment_iid, export_formats.json_pieces, "json", "application/json")


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: what the table shows, on all its pages."""

    experiment_id: int
    shown: TableState
    links: Links
    site: str

    def find(self, access: ReadAccess, after: Position | None) -> Page:
        """The next candidates."""
        return search_candidates(
            access,
            [self.experiment_id],
            where=self.shown.where,
            order=self.shown.order,
            view="deleted" if self.shown.view == "deleted" else "active",
            limit=PER_PIECE,
            after=after,
        )

    def first(self, access: ReadAccess) -> tuple[list[ColumnName], Batch, Position | None]:
        """The columns, the first candidates, and where the others start.

        If no columns are chosen, they are those of all that is found, or if that is much, of the
        whole experiment.
        """
        found = self.find(access, None)
        if self.shown.columns:
            columns = _logged(self.shown.columns)
            return columns, self.read(access, found, columns), found.after
        ids = None if found.after else [row[0] for row in found.rows]
        columns = [ColumnName(*key) for key in cells.list_keys(access, self.experiment_id, ids)]
        batch = self.read(access, found, columns)
        if not found.after:
            columns, batch = batch.without_gaps(columns)
        return columns, batch, found.after

    def read(self, access: ReadAccess, found: Page, columns: Sequence[ColumnName]) -> Batch:
        """These candidates, whole. The number of statements does not depend on theirs."""
        records = [CandidateRecord(*row) for row in found.rows]
        authors = people([each.actor_id for each in records])
        return Batch(
            [
                attributes_of(each, authors.get(each.actor_id or ""), self._url(each))
                for each in records
            ],
            cells.read_columns(access, [each.id for each in records], columns),
        )

    def _url(self, record: CandidateRecord) -> str:
        return urljoin(self.site, self.links.candidate(record.iid))


def _logged(chosen: Iterable[ColumnName]) -> list[ColumnName]:
    """Chosen columns without the attributes, which are always there; a source is three tags."""
    pieces = (SOURCE_TAGS if each == ("attribute", "source") else (each,) for each in chosen)
    return [name for piece in pieces for name in piece if name.entity != "attribute"]


def _download(
    access: ReadAccess, experiment_iid: int, pieces: Pieces, suffix: str, mimetype: str
) -> Response:
    shown = state.table_state()
    if shown.problem:
        raise Invalid(shown.problem.message)
    experiment = overview.get_experiment(access, experiment_iid)
    links = Links.of(mounted().host, access.project)
    export = Export(experiment.id, shown, links, request.host_url)
    # The first candidates are read here, so that what cannot be exported has a status that says so.
    columns, first, after = export.first(access)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    batches = _batches(app, access, export, columns, first, after)
    response = Response(pieces(columns, batches), content_type=mimetype)
    name = _file_name(access.project.path, experiment.name)
    response.headers["Content-Disposition"] = disposition(f"{name}.{suffix}")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _batches(
    app: Flask,
    access: ReadAccess,
    export: Export,
    columns: Sequence[ColumnName],
    first: Batch,
    after: Position | None,
) -> Iterator[Batch]:
    """The candidates. What is raised here breaks the connection, so no part looks like the whole.

    The request is over when the client reads this, and the forge has taken its session back. So
    each part has a context of its own, which is gone while the client reads: one that is slow
    holds no connection to the database, and permission is asked again.
    """
    yield first
    while after is not None:
        with app.app_context():
            mount = mounted()
            again = grant(ReadAccess, mount.host, mount.settings, access.actor, access.project)
            found = export.find(again, after)
            batch = export.read(again, found, columns)
        after = found.after
        yield batch


def _file_name(project_path: str, experiment: str) -> str:
    parts = (project_path.rpartition("/")[2], experiment, "candidates")
    # Letters of any language, and nothing that a shell or a file system minds.
    plain = (re.sub(r"[^\w.]+", "-", part)[:MAX_NAME].strip("-.") for part in parts)
    return "-".join(filter(None, plain))
