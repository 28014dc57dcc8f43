"""The registered models of a project, and the page of one of them; prompts, which MLflow keeps
in the same registry, are apart in the list and have the same pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.blueprints.web import markdown, state
from gitlab_mlops.blueprints.web.frames import STYLES, may
from gitlab_mlops.blueprints.web.model_snippets import (
    PROMPT_TEXT_TAG,
    as_python,
    load_code,
    prompt_code,
    register_code,
)
from gitlab_mlops.blueprints.web.page import MODEL, page
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.blueprints.web.snippet import first_steps
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.services.references.syntax import references
from gitlab_mlops.services.registry import aliases, history, overview, registered_models
from gitlab_mlops.services.registry.history import Move
from gitlab_mlops.services.registry.overview import SEMVER_TAG, Kind, Sort
from gitlab_mlops.services.registry.records import ModelRecord, VersionRecord
from gitlab_mlops.services.search.keyset import Position
from gitlab_mlops.wire import paging

PER_PAGE = 50
VERSIONS_PER_PAGE = 25
MOVES_PER_PAGE = 20
DEPLOYED = ("champion", "production")
OF_MLFLOW = ("mlflow.", "_mlflow")
"""Begin the names of tags that are for MLflow's clients."""
SORTS: tuple[Sort, ...] = ("activity", "name")
KINDS: tuple[Kind, ...] = ("models", "prompts")


@page("/models", access=ReadAccess)
def models(access: ReadAccess) -> Response:
    """The project's registered models, or its prompts; or how to register the first."""
    name, kind, sort = state.text("name"), state.choice("kind", KINDS), state.choice("sort", SORTS)
    found, after = overview.list_models(
        access, kind=kind, name=name, sort=sort, after=_position(), limit=PER_PAGE
    )
    is_bare = not found and not name and not state.text("after")
    return _render(
        access,
        "models.html",
        "Prompts" if kind == "prompts" else "Models",
        models=found,
        first_lines={each.id: markdown.first_line(each.beginning) for each in found},
        counts=overview.count_models(access),
        name=name,
        kind=kind,
        sort=sort,
        removed=state.text("removed"),
        is_first_page=not state.text("after"),
        next_page=paging.encode({"after": after}) if after else "",
        people=people([each.actor_id for each in found]),
        snippet=first_steps(access, "") if is_bare else None,
        example=prompt_code() if kind == "prompts" else register_code(),
    )


@page(MODEL, access=ReadAccess)
def model(access: ReadAccess, model_name: str) -> Response:
    """A registered model: its card, versions, aliases and tags, and who moved what."""
    record = get_model(access, model_name)
    found = overview.list_versions(
        access, record.id, before=number("before"), limit=VERSIONS_PER_PAGE + 1
    )
    shown = found[:VERSIONS_PER_PAGE]
    moves = history.moves(access, record.name, limit=MOVES_PER_PAGE + 1, before=number("moves"))
    made = {each.candidate_id for each in shown if each.candidate_id is not None}
    return render_model(
        access,
        "model.html",
        record,
        versions=shown,
        count=overview.count_versions(access, record.id),
        measured=overview.main_metrics(access, made),
        next_versions=str(shown[-1].version) if len(found) > VERSIONS_PER_PAGE else "",
        is_first_page=not state.text("before"),
        moves=moves[:MOVES_PER_PAGE],
        next_moves=str(moves[MOVES_PER_PAGE - 1].id) if len(moves) > MOVES_PER_PAGE else "",
        authors=_actors(shown, moves),
        protected=aliases.protected(access, record.name),
    )


def get_model(access: ReadAccess, name: str) -> ModelRecord:
    """The model that an address names; raise `NotFound`."""
    # What no database stores is the name of nothing.
    if "\0" in name:
        raise NotFound("Registered models have no NUL character in their names.")
    return registered_models.get(access, name)


def number(name: str) -> int | None:
    """A version, or the id of a move, in the query, after which a list goes on."""
    given = state.text(name)
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Invalid("This page does not exist: its address is not whole; start again.")
    return int(given)


def render_model(
    access: ReadAccess,
    template: str,
    record: ModelRecord,
    *,
    authors: Sequence[str | None] = (),
    **shown: Any,
) -> Response:
    """Render a page of a model; `authors` are more actors that it finds in `ml.people`."""
    is_prompt = registered_models.is_prompt(dict(record.tags))
    names = [alias for alias, _ in record.aliases]
    # What people mean to deploy, rather than a challenger.
    alias = next((each for each in DEPLOYED if each in names), names[0] if names else "")
    which = f"@{alias}" if alias else f"/{_newest(record)}"
    return _render(
        access,
        template,
        record.name,
        model=record,
        is_prompt=is_prompt,
        card=markdown.render(record.description) if record.description.strip() else "",
        reference=reference_of(record.name),
        tags=tags_of(record.tags),
        python_name=as_python(record.name),
        load=load_code(record.name, which, is_prompt=is_prompt) if _newest(record) else "",
        people=people([record.actor_id, *authors]),
        **shown,
    )


def reference_of(name: str, which: str = "") -> str:
    """How to refer to a model in texts; empty if its name has what references have not."""
    text = f"[model:{name}{which}]"
    return text if [each.name for each in references(text, "")] == [name] else ""


def tags_of(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The tags that people set, without those in which MLflow keeps its own."""
    return [pair for pair in pairs if not pair[0].startswith(OF_MLFLOW)]


def _newest(record: ModelRecord) -> int:
    return max((each.version for each in record.latest), default=0)


def _actors(versions: Sequence[VersionRecord], moves: Sequence[Move]) -> list[str | None]:
    return [*(each.actor_id for each in versions), *(each.actor_id for each in moves)]


def _render(access: ReadAccess, template: str, title: str, **shown: Any) -> Response:
    return render(
        access,
        template,
        title=title,
        assets=(*STYLES, "models.css"),
        may_write=may(access, WriteAccess),
        may_maintain=may(access, MaintainAccess),
        first_line=markdown.first_line,
        semver_tag=SEMVER_TAG,
        text_tag=PROMPT_TEXT_TAG,
        **shown,
    )


def _position() -> Position | None:
    token = state.text("after")
    if not token:
        return None
    position = paging.decode(token).get("after")
    if not isinstance(position, list):
        raise Invalid("This page does not exist: its address is not whole; start again.")
    return position
