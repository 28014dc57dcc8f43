"""The columns that a person can choose from, in groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web.columns import ATTRIBUTES, ColumnName
from gitlab_mlops.blueprints.web.facts import OF_MLFLOW, OF_THE_MACHINE
from gitlab_mlops.services.records import CandidateRecord

MAX_OFFERED = 300
"""Columns of a group that are offered; an address can name the others."""

_LABELS = (
    "Candidate",
    "Metrics",
    "System metrics",
    "Parameters",
    "Tags",
    "Tags of MLflow's client",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A column to tick; `text` is what it is called in an address."""

    text: str
    label: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Columns of a kind; `left_out` of them are too many to offer."""

    label: str
    offers: list[Offer]
    left_out: int


def groups_of(
    known: Sequence[ColumnName],
    shown: Iterable[ColumnName],
    records: Iterable[CandidateRecord],
) -> list[Group]:
    """What is offered: the attributes, all that the candidates have, and all that is shown.

    `known` are metrics and parameters; tags are looked for in the records.
    """
    ticked = dict.fromkeys(shown)
    tags = sorted({key for record in records for key, _ in record.tags})
    every = [
        *(ColumnName("attribute", key) for key in ATTRIBUTES),
        *known,
        *(ColumnName("tag", key) for key in tags),
    ]
    by_label: dict[str, list[Offer]] = {label: [] for label in _LABELS}
    for name in dict.fromkeys((*every, *ticked)):
        label = name.key.capitalize() if name.entity == "attribute" else name.key
        by_label[_label(name)].append(Offer(name.text, label, name in ticked))
    return [_group(label, offers) for label, offers in by_label.items() if offers]


def _group(label: str, offers: list[Offer]) -> Group:
    # What is shown is always offered, or sending the form would hide it.
    kept = [*offers[:MAX_OFFERED], *(each for each in offers[MAX_OFFERED:] if each.is_shown)]
    return Group(label, kept, len(offers) - len(kept))


def _label(name: ColumnName) -> str:
    candidate, metrics, system, params, tags, client = _LABELS
    if name.entity == "attribute":
        return candidate
    if name.entity == "metric":
        return system if name.key.startswith(OF_THE_MACHINE) else metrics
    if name.entity == "param":
        return params
    return client if name.key.startswith(OF_MLFLOW) else tags
