"""What candidates of a merge request are measured by: the target branch's best and newest one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, Subquery, func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, MergeRequest
from gitlab_mlops.models import Candidate, Experiment, JobStamp, MetricKey, MetricSeries, Status
from gitlab_mlops.services.search.values import NAN
from gitlab_mlops.services.stamps import MAX_REF

MAX_POOL = 10_000
"""Candidates of the target branch that are looked at, the newest ones."""
MAX_VALUES = 100_000
"""Values that are looked at: with many metrics, of fewer candidates."""
MAX_SHAS = 50
"""Commits per wanted baseline that the forge is asked about: the best, and the newest."""

Better = Literal["higher", "lower"]


class Wanted(NamedTuple):
    """A metric of an experiment (internal id); `better` is None if nobody knows."""

    experiment_id: int
    metric: str
    better: Better | None


@dataclass(frozen=True, slots=True)
class CandidateValue:
    """A candidate's latest value of a metric; `id` is internal, `sha` the commit it is of."""

    id: int
    iid: int
    name: str
    sha: str
    value: float


@dataclass(frozen=True, slots=True)
class Baselines:
    """The candidates of the target branch with the best value, and the newest with any."""

    best: CandidateValue | None = None
    newest: CandidateValue | None = None


def baselines(
    access: ReadAccess,
    host: Host,
    merge_request: MergeRequest,
    experiment: int | str,
    metric: str,
    better: Better | None,
) -> Baselines:
    """The baselines of one metric; `experiment` is an internal id, or a name.

    Who wants several asks `baselines_of` once.
    """
    experiment_id = _id_of(access, experiment) if isinstance(experiment, str) else experiment
    if experiment_id is None:
        return Baselines()
    wanted = Wanted(experiment_id, metric, better)
    return baselines_of(access, host, merge_request, [wanted])[wanted]


def baselines_of(
    access: ReadAccess, host: Host, merge_request: MergeRequest, wanted: Collection[Wanted]
) -> dict[Wanted, Baselines]:
    """The baselines of each metric, in three statements, and one question to the forge.

    Only facts count: finished candidates that a job of the target branch logged, with the code of
    the project, that nobody altered, and whose commit is still in the branch as it is in the merge
    request. NaN is no baseline.
    """
    found = dict.fromkeys(wanted, Baselines())
    project, target = access.project, merge_request.target_sha
    if not wanted or not target or host.repository is None:
        return found
    pool = _Pool(access, merge_request.target_branch, wanted)
    orders = {each: _orders(pool.commits.get(each[:2], ()), each.better) for each in wanted}
    asked = {sha for order in orders.values() for shas in order for sha in shas[:MAX_SHAS]}
    there = set(host.repository.reachable(project, asked, target)) if asked else set()
    chosen = {
        each: [next((sha for sha in shas if sha in there), None) for shas in order]
        for each, order in orders.items()
    }
    values = pool.values_at({sha for pair in chosen.values() for sha in pair if sha is not None})
    for each, (best, newest) in chosen.items():
        at = values.get(each[:2], ())
        found[each] = Baselines(
            _best([value for value in at if value.sha == best], each.better),
            max((value for value in at if value.sha == newest), key=_age, default=None),
        )
    return found


Pair = tuple[int, str]
"""An experiment (internal id) and a metric."""


class _Commit(NamedTuple):
    """What candidates of one commit have of a metric."""

    sha: str
    highest: float
    lowest: float
    newest_id: int


class _Pool:
    """The candidates of a branch that can be baselines of the wanted metrics."""

    def __init__(self, access: ReadAccess, branch: str, wanted: Collection[Wanted]) -> None:
        self._access = access
        self._branch = branch
        self._experiments = sorted({each.experiment_id for each in wanted})
        self._keys = _key_ids(access, {each.metric for each in wanted})
        self.commits = self._read_commits()

    def _read_commits(self) -> dict[Pair, list[_Commit]]:
        # The index of the stamps by branch ends with the candidate.
        most = min(MAX_POOL, MAX_VALUES // max(len(self._keys), 1))
        newest = self._stamps().order_by(JobStamp.candidate_id.desc()).limit(most).subquery()
        value, sha = MetricSeries.value, newest.c.sha
        statement = self._select(
            newest, sha, func.max(value), func.min(value), func.max(Candidate.id)
        ).group_by(Candidate.experiment_id, MetricSeries.key_id, sha)
        return self._by_pair(statement, _Commit)

    def values_at(self, shas: Collection[str]) -> dict[Pair, list[CandidateValue]]:
        """The candidates of these commits with their values."""
        if not shas:
            return {}
        of_commits = self._stamps().where(JobStamp.sha.in_(sorted(shas))).subquery()
        statement = self._select(
            of_commits,
            *(Candidate.id, Candidate.iid, Candidate.name, of_commits.c.sha, MetricSeries.value),
        )
        return self._by_pair(statement, CandidateValue)

    def _by_pair(self, statement: Select[Any], kind: Any) -> dict[Pair, list[Any]]:
        found: dict[Pair, list[Any]] = {}
        names = {key_id: key for key, key_id in self._keys.items()}
        for experiment_id, key_id, *rest in self._access.session.execute(statement):
            found.setdefault((experiment_id, names[key_id]), []).append(kind(*rest))
        return found

    def _stamps(self) -> Select[Any]:
        """What jobs of the branch stamped, with the project's code, and nobody altered."""
        project_id = self._access.project.id
        columns: tuple[Any, ...] = (JobStamp.candidate_id, JobStamp.sha)
        return select(*columns).where(
            JobStamp.project_id == project_id,
            JobStamp.ref == self._branch[:MAX_REF],
            JobStamp.source_project_id == project_id,
            JobStamp.altered_at.is_(None),
        )

    def _select(self, stamps: Subquery, *columns: Any) -> Select[Any]:
        """From the finished candidates of the wanted experiments that have the metrics."""
        return (
            select(Candidate.experiment_id, MetricSeries.key_id, *columns)
            .join_from(stamps, Candidate, Candidate.id == stamps.c.candidate_id)
            .join(MetricSeries, MetricSeries.candidate_id == Candidate.id)
            .where(
                Candidate.project_id == self._access.project.id,
                Candidate.experiment_id.in_(self._experiments),
                Candidate.status == Status.FINISHED,
                Candidate.deleted_at.is_(None),
                MetricSeries.key_id.in_(self._keys.values()),
                MetricSeries.value < NAN,
            )
        )


def _id_of(access: ReadAccess, name: str) -> int | None:
    return access.session.scalar(
        select(Experiment.id).where(
            Experiment.project_id == access.project.id, Experiment.name == name
        )
    )


def _key_ids(access: ReadAccess, keys: Collection[str]) -> Mapping[str, int]:
    statement = select(MetricKey.key, MetricKey.id).where(
        MetricKey.project_id == access.project.id, MetricKey.key.in_(keys)
    )
    return dict(access.session.execute(statement).all())


def _orders(commits: Iterable[_Commit], better: Better | None) -> tuple[list[str], list[str]]:
    """The commits, those with the best values first, and the newest ones first."""
    newest = sorted(commits, key=lambda each: each.newest_id, reverse=True)
    if better is None:
        best = []
    elif better == "higher":
        best = sorted(newest, key=lambda each: each.highest, reverse=True)
    else:
        best = sorted(newest, key=lambda each: each.lowest)
    return [each.sha for each in best], [each.sha for each in newest]


def _best(values: Sequence[CandidateValue], better: Better | None) -> CandidateValue | None:
    """The best value, of equal ones the newest candidate's."""
    sign = -1 if better == "lower" else 1
    return max(values, key=lambda each: (sign * each.value, each.id), default=None)


def _age(value: CandidateValue) -> int:
    return value.id
