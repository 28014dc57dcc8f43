"""What can be done with the candidates that are ticked in the table: tag, trash, restore, delete.

Each ends where it began: the form carries the state of the table in the field `back`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from flask import Response, redirect, request
from marshmallow import ValidationError

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import formats, state
from gitlab_mlops.blueprints.web.frames import render_experiment
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import deletion, overview, selections
from gitlab_mlops.wire.values import MAX_KEY, MAX_TAG_VALUE, to_tag

_STATE = ("filter", "order_by", "view", "columns", "rows", "open", "page_token")
"""The parts of the table's query that a form leads back to."""
_NOTICE = re.compile(r"(nothing|tagged|trashed|restored)-([0-9]{1,4})\Z")
_COUNT = re.compile(r"[0-9]{1,18}\Z")
_OF_MLFLOW = "mlflow."


class Notice(NamedTuple):
    """What was done, as the table's address tells; `to_trash`, that a link there helps."""

    text: str
    to_trash: bool = False


def notice() -> Notice | None:
    """What the form did that led to this page of the table; None if none did."""
    if (freed := state.text("freed")) and (deleted := state.text("deleted")):
        if _COUNT.match(freed) and _COUNT.match(deleted):
            size, many = formats.size(int(freed)), formats.plural(int(deleted), "candidate")
            return Notice(f"{many} deleted for ever. That freed {size}.")
        return None
    found = _NOTICE.match(state.text("done"))
    return _notice(found[1], int(found[2])) if found else None


def _notice(deed: str, count: int) -> Notice:
    many = formats.plural(count, "candidate")
    if deed == "tagged":
        return Notice(f"{many} tagged.")
    if deed == "trashed":
        return Notice(f"{many} moved to the trash.", to_trash=True)
    if deed == "restored":
        return Notice(f"{many} restored.")
    return Notice("Tick the candidates first.")


@page(f"{EXPERIMENT}/trash-candidates", access=WriteAccess, method="POST")
def trash_candidates(access: WriteAccess, experiment_iid: int) -> Response:
    """Move candidates to the trash."""
    if not (iids := _ticked()):
        return _back(access, experiment_iid, done="nothing-0")
    count = selections.trash(access, experiment_iid, iids)
    return _back(access, experiment_iid, done=f"trashed-{count}")


@page(f"{EXPERIMENT}/restore-candidates", access=WriteAccess, method="POST")
def restore_candidates(access: WriteAccess, experiment_iid: int) -> Response:
    """Take candidates out of the trash."""
    if not (iids := _ticked()):
        return _back(access, experiment_iid, done="nothing-0")
    count = selections.restore(access, experiment_iid, iids)
    return _back(access, experiment_iid, done=f"restored-{count}")


@page(f"{EXPERIMENT}/tag-candidates", access=WriteAccess)
def ask_for_tag(access: WriteAccess, experiment_iid: int) -> Response:
    """Ask which tag the candidates get."""
    if not (iids := _ticked()):
        return _back(access, experiment_iid, done="nothing-0")
    limits = {"max_key": MAX_KEY, "max_value": MAX_TAG_VALUE}
    return _ask(access, "tag_candidates.html", experiment_iid, iids, **limits)


@page(f"{EXPERIMENT}/tag-candidates", access=WriteAccess, method="POST")
def tag_candidates(access: WriteAccess, experiment_iid: int) -> Response:
    """Set a tag of candidates."""
    if not (iids := _ticked()):
        return _back(access, experiment_iid, done="nothing-0")
    key, value = _tag()
    count = selections.tag(access, experiment_iid, iids, key, value)
    return _back(access, experiment_iid, done=f"tagged-{count}")


@page(f"{EXPERIMENT}/delete-candidates", access=MaintainAccess)
def ask_to_delete_candidates(access: MaintainAccess, experiment_iid: int) -> Response:
    """Ask whether to delete candidates for ever, and say what that frees."""
    if not (iids := _ticked()):
        return _back(access, experiment_iid, done="nothing-0", view="deleted")
    usage = deletion.measure_candidates(access, mounted().storage, iids)
    return _ask(access, "delete_candidates.html", experiment_iid, iids, usage=usage)


@page(f"{EXPERIMENT}/delete-candidates", access=MaintainAccess, method="POST")
def delete_candidates(access: MaintainAccess, experiment_iid: int) -> Response:
    """Delete candidates for ever."""
    if not (iids := _ticked()):
        return _back(access, experiment_iid, done="nothing-0", view="deleted")
    selections.choose(access, experiment_iid, iids)
    usage = deletion.delete_candidates(access, mounted().storage, iids)
    told = {"deleted": str(usage.candidates), "freed": str(usage.bytes)}
    return _back(access, experiment_iid, view="deleted", **told)


def _ticked() -> tuple[int, ...]:
    return state.numbers("candidates", state.MAX_SELECTED, request.values.getlist("candidates"))


def _tag() -> tuple[str, str]:
    pair = {name: request.form.get(name, "") for name in ("key", "value")}
    pair["key"] = pair["key"].strip()
    if not pair["key"]:
        raise Invalid("A tag needs a name.")
    if pair["key"].startswith(_OF_MLFLOW):
        raise Invalid(f"Names that begin with {_OF_MLFLOW} are for MLflow's clients.")
    if "\0" in pair["value"]:
        raise Invalid("The value of a tag has no NUL characters.")
    try:
        return to_tag(pair)
    except ValidationError as error:
        raise Invalid(str(error.messages[0])) from None


def _ask(
    access: ReadAccess,
    template: str,
    experiment_iid: int,
    iids: tuple[int, ...],
    **shown: Any,
) -> Response:
    found = overview.get_experiment(access, experiment_iid)
    return render_experiment(
        access,
        template,
        found,
        overview.count_candidates(access, found.id),
        tab="",
        chosen=selections.choose(access, experiment_iid, iids),
        back=request.args.get("back", ""),
        back_url=_table(access, experiment_iid),
        **shown,
    )


def _back(access: ReadAccess, experiment_iid: int, **told: str) -> Response:
    return redirect(_table(access, experiment_iid, **told), 303)  # type: ignore[return-value]


def _table(access: ReadAccess, experiment_iid: int, **told: str) -> str:
    """The table in the state that `back` says; it is only ever read as a query."""
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.values.get("back", "")):
        if name in _STATE:
            query.setdefault(name, []).append(value)
    links = Links.of(mounted().host, access.project)
    shown: state.Query = {name: tuple(values) for name, values in query.items()}
    return links.experiment(experiment_iid, **(shown | told))
