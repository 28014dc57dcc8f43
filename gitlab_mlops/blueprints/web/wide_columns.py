"""The columns of the wide table: which ones, what their heads do, and all their values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web import facts, formats
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.blueprints.web.export_formats import spelled
from gitlab_mlops.blueprints.web.facts import OF_THE_MACHINE
from gitlab_mlops.blueprints.web.ordering import head, order_name
from gitlab_mlops.blueprints.web.rendering import people
from gitlab_mlops.blueprints.web.source import SOURCE, SOURCE_TAGS, source_of
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.services import cells
from gitlab_mlops.services.cells import Value
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import Stamp, stamps_of

MAX_COLUMNS = 300
"""Metrics, parameters and tags that are shown if none are chosen."""
MAX_TEXT = 200
"""Characters of a parameter or tag."""
FACTS = tuple(ColumnName("attribute", key) for key in ("status", "created", "author", "duration"))
SORTED_AS = {
    "name": ("attributes.run_name", "name"),
    "status": ("attributes.status", "status"),
    "created": ("attributes.start_time", "start_time"),
}
"""What an order and our models call the attributes that can be sorted by."""
LABELS = {"created": "Created (UTC)"}


def read(
    access: ReadAccess,
    experiment_id: int,
    shown: TableState,
    candidates: Sequence[CandidateRecord],
) -> dict[str, Any]:
    """The `name` of the candidates as a head, the `columns`, and the `others` to choose from.

    `is_limited` if these are not all columns although none are chosen.
    """
    ids = [each.id for each in candidates]
    known = [ColumnName(*key) for key in cells.list_keys(access, experiment_id, ids)]
    known.sort(key=lambda each: (each.entity != "metric", each.key.startswith(OF_THE_MACHINE)))
    chosen = shown.columns or (*FACTS, SOURCE, *_most_wanted(known, shown))
    found = _attributes(candidates) | _logged(access, ids, chosen)
    return {
        "name": _described(ColumnName("attribute", "name"), [], shown),
        "columns": [
            _described(name, found[name], shown)
            for name in chosen
            # Nobody chose a source that no client tells, or metrics of candidates elsewhere.
            if shown.columns or any(value is not None for value in found[name])
        ],
        "others": [_named(each) for each in (*FACTS, SOURCE, *known) if each not in chosen],
        "is_limited": len(known) > MAX_COLUMNS,
    }


def _most_wanted(known: Sequence[ColumnName], shown: TableState) -> list[ColumnName]:
    """The columns there is room for: what is sorted by, metrics, and others."""
    sorted_by = {(each.entity, each.key) for each in shown.order}
    ranked = sorted(known, key=lambda each: each not in sorted_by)
    metrics = [each for each in ranked if each.entity == "metric"]
    others = [each for each in ranked if each.entity != "metric"]
    metrics = metrics[: MAX_COLUMNS - min(len(others), MAX_COLUMNS // 2)]
    kept = {*metrics, *others[: MAX_COLUMNS - len(metrics)]}
    return [each for each in known if each in kept]


def _logged(
    access: ReadAccess, ids: Sequence[int], chosen: Sequence[ColumnName]
) -> dict[ColumnName, list[Value]]:
    """What candidates logged of the chosen columns, and where they come from."""
    names = [*(each for each in chosen if each.entity != "attribute"), *SOURCE_TAGS]
    values = cells.read_columns(access, ids, names, max_text=MAX_TEXT + 1)
    found = dict(zip(names, values, strict=True))
    said = zip(*(found[name] for name in SOURCE_TAGS), strict=True)
    stamps = stamps_of(access, ids) if SOURCE in chosen else {}
    sources: list[Value] = [
        _source(texts, stamps.get(id_)) for id_, texts in zip(ids, said, strict=True)
    ]
    return found | {SOURCE: sources}


def _source(texts: Sequence[Value], stamp: Stamp | None) -> str | None:
    """The commit, branch and job as one text, which tells whose word it is."""
    tags = [(name.key, str(text)) for name, text in zip(SOURCE_TAGS, texts, strict=True) if text]
    found = source_of(tags, stamp) if tags or stamp else None
    if found is None:
        return None
    said = (found.commit, found.branch, found.job and f"job {found.job}")
    return " ".join(filter(None, (*said, "(CI)" if found.is_stamped else "(claimed)")))


def _attributes(candidates: Sequence[CandidateRecord]) -> dict[ColumnName, list[Any]]:
    """The values of `FACTS` as texts."""
    moment, authors = now(), people([each.actor_id for each in candidates])
    values = [
        (
            facts.status_name(each.status),
            formats.moment(facts.started_at(each), moment).text.replace(" UTC", ""),
            author.username if (author := authors.get(each.actor_id or "")) else _claimed(each),
            facts.duration(each, moment) or None,
        )
        for each in candidates
    ]
    return {name: [row[index] for row in values] for index, name in enumerate(FACTS)}


def _claimed(record: CandidateRecord) -> str | None:
    """Who made a candidate, says its client, if the forge does not know."""
    return f"{record.user_id} (claimed)" if record.user_id else None


def _described(name: ColumnName, values: list[Value], shown: TableState) -> dict[str, Any]:
    """A column for the script; `order_by` is what a click on its head asks for."""
    if name.entity == "attribute":
        order_by, key = SORTED_AS.get(name.key, ("", ""))
    else:
        order_by, key = order_name(name.entity, name.key), name.key
    wanted = head(shown.order, order_by, name.entity, key) if order_by else None
    return _named(name) | {
        "order_by": wanted.order_by if wanted else "",
        "sorted": wanted.state if wanted else "",
        "values": _spelled(values) if name.entity == "metric" else _shortened(values),
    }


def _named(name: ColumnName) -> dict[str, Any]:
    is_ours = name.entity == "attribute"
    label = LABELS.get(name.key, name.key.capitalize()) if is_ours else name.key
    return {"name": name.text, "entity": name.entity, "label": label}


def _spelled(values: list[Value]) -> list[Value]:
    """The values of a metric as JSON can have them; mostly there is nothing to do."""
    is_plain = math.isfinite(sum(filter(None, values)))  # type: ignore[arg-type]
    return values if is_plain else [spelled(value) for value in values]


def _shortened(values: list[Value]) -> list[Value]:
    return [
        formats.shortened(value, MAX_TEXT) if isinstance(value, str) else value for value in values
    ]
