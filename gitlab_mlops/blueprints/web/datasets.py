"""The datasets of a candidate, read for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.services.inputs import CONTEXT_TAG
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.wire import dataset_texts
from gitlab_mlops.wire.dataset_texts import Column

MAX_READ = 50
"""Datasets whose schema and profile are read; a page has rarely more than three."""
MAX_TEXT = 300
_NAMES = {"num_rows": "rows", "num_elements": "elements"}


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset as shown. `columns` is None, and `schema` a text, if nobody understands it."""

    name: str
    digest: str
    source_type: str
    source: str
    context: str
    columns: list[Column] | None
    schema: str
    profile: list[tuple[str, str]]
    """Such as (rows, 1,500)."""


def views_of(datasets: Iterable[DatasetInput]) -> list[DatasetView]:
    """The datasets in their order; of all but the first `MAX_READ` only what they are called."""
    return [_view(each, is_read=number < MAX_READ) for number, each in enumerate(datasets)]


def _view(used: DatasetInput, *, is_read: bool) -> DatasetView:
    schema, profile = (used.schema or "", used.profile or "") if is_read else ("", "")
    columns = dataset_texts.columns(schema) if schema else None
    # MLflow's way to say that there is no schema.
    unread = schema if columns is None and schema != "null" else ""
    return DatasetView(
        name=used.name,
        digest=used.digest,
        source_type=used.source_type,
        source=formats.shortened(used.source, MAX_TEXT),
        context=dict(used.tags).get(CONTEXT_TAG, ""),
        columns=columns,
        schema=formats.shortened(unread, MAX_TEXT),
        profile=_profile(profile),
    )


def _profile(text: str) -> list[tuple[str, str]]:
    if not text or text == "null":
        return []
    pairs = dataset_texts.profile(text)
    if pairs is None:
        return [("profile", formats.shortened(text, MAX_TEXT))]
    return [(_NAMES.get(name, name.replace("_", " ")), value) for name, value in pairs]
