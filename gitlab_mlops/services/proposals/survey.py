"""The candidates of a merge request by experiment, next to what the target branch has."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import or_, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, MergeRequest
from gitlab_mlops.models import Candidate, Experiment, Status
from gitlab_mlops.services import experiment_records, records
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG, Objective, objective_of
from gitlab_mlops.services.proposals.baselines import Baselines, Better, Wanted, baselines_of
from gitlab_mlops.services.proposals.brought import Brought, brought_by
from gitlab_mlops.services.proposals.listing import MAX_TAG
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import Stamp, stamps_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate of a commit, and the access that read it.

    `stamp` is None for a candidate that only claims to be of the commit.
    """

    access: ReadAccess
    record: CandidateRecord
    sha: str
    stamp: Stamp | None


@dataclass(slots=True)
class Group:
    """The candidates of an experiment, and what the target branch has of it.

    `experiment_id` (internal) and `iid` are those of the experiment in the project of the merge
    request; None if only the fork has one of this name, so that there is nothing to compare with.
    `tags` are those about the main metric.
    """

    name: str
    experiment_id: int | None
    iid: int | None
    tags: Mapping[str, str]
    entries: list[Entry] = field(default_factory=list)
    objective: Objective | None = None
    best: CandidateRecord | None = None
    newest: CandidateRecord | None = None

    @property
    def metrics(self) -> list[str]:
        """The names of what the candidates measured, in alphabetical order."""
        return sorted({point.key for each in self.entries for point in each.record.metrics})


@dataclass(frozen=True, slots=True)
class Survey:
    """The groups, those that can be compared first; `total` candidates, not all of them shown."""

    groups: list[Group]
    total: int


def survey(
    access: ReadAccess,
    host: Host,
    merge_request: MergeRequest,
    *,
    fork: ReadAccess | None = None,
    judged: Collection[int] = (),
    limit: int,
) -> Survey:
    """What the commits of a merge request brought, the newest commit's first, at most `limit`.

    Of each commit facts come before claims, then what still runs, then the best by the main
    metric. Those that a gate has `judged` (internal ids) are there, however many are left out.

    `access` is to the project of the merge request, `fork` to the one that it comes from, if that
    is another one and the reader may see it. Its candidates are compared with the experiment of
    the same name. The number of statements does not depend on how many candidates there are.
    """
    accesses = [access] if fork is None else [access, fork]
    found = [(each, one) for each in accesses for one in brought_by(each, merge_request.commits)]
    places = {sha: place for place, sha in enumerate(merge_request.commits)}
    found.sort(key=lambda pair: (places[pair[1].sha], pair[1].is_claimed))
    entries = _load(_chosen(access, found, judged, limit))
    groups = _grouped(access, entries)
    _find_baselines(access, host, merge_request, groups)
    for group in groups:
        group.entries.sort(key=lambda each: (places[each.sha], *_rank(each, group.objective)))
    # What can be compared is what a merge request is judged by.
    groups.sort(key=lambda group: group.newest is None)
    return Survey(groups, len(found))


def _chosen(
    access: ReadAccess,
    found: Sequence[tuple[ReadAccess, Brought]],
    judged: Collection[int],
    limit: int,
) -> list[tuple[ReadAccess, Brought]]:
    """The first of the candidates, and those that were judged, in the same order."""
    is_judged = [each is access and one.candidate_id in judged for each, one in found]
    room = max(0, limit - sum(is_judged))
    others = [place for place, is_first in enumerate(is_judged) if not is_first][:room]
    kept = {*others, *(place for place, is_first in enumerate(is_judged) if is_first)}
    return [pair for place, pair in enumerate(found) if place in kept]


def _rank(entry: Entry, objective: Objective | None) -> tuple[bool, bool, bool, float]:
    """Where a candidate stands among those of its commit; NaN and no value are last."""
    record, key = entry.record, objective.key if objective else ""
    value = next((point.value for point in record.metrics if point.key == key), math.nan)
    is_none = value != value or objective is None or objective.greater_is_better is None
    better = (
        0.0 if is_none or objective is None else -value if objective.greater_is_better else value
    )
    return entry.stamp is None, record.status != Status.RUNNING, is_none, better


def load_records(access: ReadAccess, candidate_ids: Collection[int]) -> dict[int, CandidateRecord]:
    """The candidates of the project with these internal ids, without datasets."""
    if not candidate_ids:
        return {}
    rows = access.session.execute(
        select(*records.RECORD_COLUMNS)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(Candidate.project_id == access.project.id, Candidate.id.in_(candidate_ids))
    ).all()
    return {each.id: each for each in records.load(access, rows, with_datasets=False)}


def _load(found: Sequence[tuple[ReadAccess, Brought]]) -> list[Entry]:
    """Candidates in the same order; one that was deleted meanwhile is left out."""
    entries: dict[tuple[int, int], Entry] = {}
    for access in {each.project.id: each for each, _ in found}.values():
        own = {one.candidate_id: one for each, one in found if each is access}
        stamps = stamps_of(access, [id_ for id_, one in own.items() if not one.is_claimed])
        entries |= {
            (access.project.id, record.id): Entry(
                access, record, own[record.id].sha, stamps.get(record.id)
            )
            for record in load_records(access, own).values()
        }
    wanted = ((access.project.id, one.candidate_id) for access, one in found)
    return [entries[each] for each in wanted if each in entries]


def _grouped(access: ReadAccess, entries: Sequence[Entry]) -> list[Group]:
    """The entries by the names of their experiments, in the order in which they come."""
    own = [each for each in entries if each.access.project.id == access.project.id]
    foreign = [each for each in entries if each.access.project.id != access.project.id]
    of_fork = _read_groups(foreign[0].access, foreign) if foreign else {}
    here = _read_groups(access, own, [group.name for group in of_fork.values()])
    groups = {
        group.name: replace(group, experiment_id=None, iid=None) for group in of_fork.values()
    }
    groups |= {group.name: group for group in here.values()}
    used: dict[str, Group] = {}
    for each in entries:
        among = here if each.access.project.id == access.project.id else of_fork
        name = among[each.record.experiment_id].name
        used.setdefault(name, groups[name]).entries.append(each)
    return list(used.values())


def _read_groups(
    access: ReadAccess, entries: Iterable[Entry], names: Collection[str] = ()
) -> dict[int, Group]:
    """Empty groups for the experiments of entries of a project, and for those of these names."""
    ids = {each.record.experiment_id for each in entries}
    rows = access.session.execute(
        select(Experiment.id, Experiment.iid, Experiment.name).where(
            Experiment.project_id == access.project.id,
            or_(Experiment.id.in_(ids), Experiment.name.in_(names)),
        )
    ).all()
    wanted = (NAME_TAG, DIRECTION_TAG)
    tags = experiment_records.tags_of(access, [row.id for row in rows], wanted, length=MAX_TAG)
    return {row.id: Group(row.name, row.id, row.iid, tags[row.id]) for row in rows}


def _find_baselines(
    access: ReadAccess, host: Host, merge_request: MergeRequest, groups: Iterable[Group]
) -> None:
    """Give each group its objective, and the target branch's best and newest candidate."""
    wanted: dict[str, Wanted] = {}
    for group in groups:
        group.objective = objective_of(group.tags, group.metrics)
        if group.experiment_id is not None and (metric := _metric_of(group)):
            wanted[group.name] = Wanted(group.experiment_id, metric, _better(group.objective))
    found = baselines_of(access, host, merge_request, set(wanted.values()))
    values = [each for pair in found.values() for each in (pair.best, pair.newest) if each]
    read = load_records(access, {each.id for each in values})
    for group in groups:
        pair = found[wanted[group.name]] if group.name in wanted else Baselines()
        group.best = read.get(pair.best.id) if pair.best else None
        group.newest = read.get(pair.newest.id) if pair.newest else None


def _metric_of(group: Group) -> str | None:
    """The metric that a baseline must have: the main one, or any if nobody knows that."""
    if group.objective is not None:
        return group.objective.key
    return next(iter(group.metrics), None)


def _better(objective: Objective | None) -> Better | None:
    if objective is None or objective.greater_is_better is None:
        return None
    return "higher" if objective.greater_is_better else "lower"
