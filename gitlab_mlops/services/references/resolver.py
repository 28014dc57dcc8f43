"""From references to the things that somebody may see, in a bounded number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote, unquote

from sqlalchemy import literal, select, tuple_, union_all
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule

from gitlab_mlops.access import ReadAccess, grant_or_none
from gitlab_mlops.host import Project
from gitlab_mlops.models import (
    Candidate,
    Experiment,
    ModelAlias,
    ModelVersion,
    RegisteredModel,
)
from gitlab_mlops.services.references.context import Context
from gitlab_mlops.services.references.syntax import Kind, Place, Reference

MAX_REFERENCES = 1000
"""Different references of one text that are looked at; the others stay text."""
MAX_PLACES = 50
"""Different projects that one text may name; the forge is asked for each of them."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is referred to, and the access of who may see it; `page` is below its `/-/ml/`.

    A model has no iid, and `id` is that of the model, or of the version that is meant.
    """

    access: ReadAccess
    kind: Kind
    id: int
    iid: int
    name: str
    in_trash: bool
    page: str
    label: str


def projects(references: Iterable[Reference], context: Context) -> dict[Reference, Project]:
    """The project of each reference, if there is one, whether or not the actor may see it.

    Looks at no more than `MAX_REFERENCES` and `MAX_PLACES`, in the order given.
    """
    wanted = list(islice(dict.fromkeys(references), MAX_REFERENCES))
    places = islice(dict.fromkeys(reference.place for reference in wanted), MAX_PLACES)
    found = dict(_find_projects(places, context))
    return {reference: found[reference.place] for reference in wanted if reference.place in found}


def resolve(named: Mapping[Reference, Project], context: Context) -> dict[Reference, Target]:
    """What the actor may see, of references with their projects."""
    by_project: defaultdict[Project, list[Reference]] = defaultdict(list)
    for reference, project in named.items():
        by_project[project].append(reference)
    targets: dict[Reference, Target] = {}
    for project, references in by_project.items():
        if access := read_access(context, project):
            for kind, load in _LOADERS.items():
                if wanted := [each for each in references if each.kind is kind]:
                    targets |= load(access, wanted)
    return targets


def read_access(context: Context, project: Project) -> ReadAccess | None:
    """Access to the project for the context's actor, or None if it is hidden."""
    return grant_or_none(ReadAccess, context.host, context.settings, context.actor, project)


def _find_projects(places: Iterable[Place], context: Context) -> Iterator[tuple[Place, Project]]:
    routes: MapAdapter | None = None
    for place in places:
        project: Project | None = context.project
        if place.path:
            project = context.host.projects.by_path(place.path)
        elif place.page:
            routes = routes or _routes(context)
            project = _by_page(place.page, routes, context)
        if project is not None:
            yield place, project


def _routes(context: Context) -> MapAdapter:
    """The forge's URL rules for the pages of its projects."""
    rules = [Rule(prefix, endpoint="project") for prefix in context.host.chrome.web_prefixes]
    return Map(rules, converters=context.converters).bind("forge")


def _by_page(page: str, routes: MapAdapter, context: Context) -> Project | None:
    path = unquote(page)
    # A NUL would be an error in PostgreSQL, and no forge has one in the name of a project.
    if not path.isprintable():
        return None
    try:
        _, values = routes.match(f"/{path}")
    except HTTPException:
        return None
    return context.host.projects.by_url(values)


def _load_numbered(
    access: ReadAccess, kind: Kind, model: type[Candidate] | type[Experiment], iids: set[int]
) -> dict[int, Target]:
    """Candidates or experiments by their numbers."""
    statement = select(model.id, model.iid, model.name, model.deleted_at).where(
        model.project_id == access.project.id, model.iid.in_(sorted(iids))
    )
    return {
        row.iid: Target(
            access,
            kind,
            row.id,
            row.iid,
            row.name,
            in_trash=row.deleted_at is not None,
            page=f"{kind}s/{row.iid}",
            label=str(row.iid),
        )
        for row in access.session.execute(statement)
    }


def _load_candidates(access: ReadAccess, wanted: Sequence[Reference]) -> dict[Reference, Target]:
    found = _load_numbered(access, Kind.CANDIDATE, Candidate, {each.iid for each in wanted})
    return {each: found[each.iid] for each in wanted if each.iid in found}


def _load_experiments(access: ReadAccess, wanted: Sequence[Reference]) -> dict[Reference, Target]:
    found = _load_numbered(access, Kind.EXPERIMENT, Experiment, {each.iid for each in wanted})
    return {each: found[each.iid] for each in wanted if each.iid in found}


def _load_models(access: ReadAccess, wanted: Sequence[Reference]) -> dict[Reference, Target]:
    """Models and versions by name; an alias stands for the version that has it now."""
    # A NUL, which an address can have, would be an error in PostgreSQL.
    names = {each.name for each in wanted if "\0" not in each.name}
    statement = select(RegisteredModel.name, RegisteredModel.id).where(
        RegisteredModel.project_id == access.project.id, RegisteredModel.name.in_(sorted(names))
    )
    models: dict[str, int] = dict(access.session.execute(statement).all())
    there = [each for each in wanted if each.name in models]
    versions = _load_versions(
        access, models, [each for each in there if each.version or each.alias]
    )
    targets: dict[Reference, Target] = {}
    for each in there:
        if each.version or each.alias:
            key = (models[each.name], each.version or each.alias)
            if key in versions:
                targets[each] = _version_target(access, each, *versions[key])
        else:
            targets[each] = _model_target(access, each, models[each.name])
    return targets


def _load_versions(
    access: ReadAccess, models: Mapping[str, int], wanted: Sequence[Reference]
) -> dict[tuple[int, int | str], tuple[int, int]]:
    """(version's id, number) by model's id and what names the version: its number, or an alias."""
    if not wanted:
        return {}
    numbers = [(models[each.name], each.version) for each in wanted if each.version]
    aliases = [(models[each.name], each.alias) for each in wanted if each.alias]
    by_number = select(
        ModelVersion.model_id, literal("").label("alias"), ModelVersion.id, ModelVersion.version
    ).where(tuple_(ModelVersion.model_id, ModelVersion.version).in_(numbers))
    by_alias = (
        select(ModelAlias.model_id, ModelAlias.alias, ModelVersion.id, ModelVersion.version)
        .join(ModelVersion, ModelVersion.id == ModelAlias.version_id)
        .where(tuple_(ModelAlias.model_id, ModelAlias.alias).in_(aliases))
    )
    return {
        (model_id, alias or version): (id_, version)
        for model_id, alias, id_, version in access.session.execute(union_all(by_number, by_alias))
    }


def _model_target(access: ReadAccess, named: Reference, id_: int) -> Target:
    page = f"models/{quote(named.name, safe='')}"
    return Target(access, Kind.MODEL, id_, 0, named.name, False, page, named.name)


def _version_target(access: ReadAccess, named: Reference, id_: int, version: int) -> Target:
    suffix = f"@{named.alias}" if named.alias else f"/{named.version}"
    return Target(
        access,
        Kind.MODEL,
        id_,
        0,
        f"{named.name}, version {version}",
        in_trash=False,
        page=f"models/{quote(named.name, safe='')}/versions/{version}",
        label=f"{named.name}{suffix}",
    )


_LOADERS: dict[Kind, Callable[[ReadAccess, Sequence[Reference]], dict[Reference, Target]]] = {
    Kind.CANDIDATE: _load_candidates,
    Kind.EXPERIMENT: _load_experiments,
    Kind.MODEL: _load_models,
}
"""One statement each for the references to one project, and two for models."""
