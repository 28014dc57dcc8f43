"""Judges what was trained of a merge request's head commit by the rules of a policy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, MergeRequest
from gitlab_mlops.services.gate import comparing, facts
from gitlab_mlops.services.gate.facts import Trained
from gitlab_mlops.services.gate.policy import Rule
from gitlab_mlops.services.gate.results import Judged, Outcome, Result
from gitlab_mlops.services.proposals.baselines import Baselines, Better, Wanted, baselines_of

SHORT_SHA = 8
_OUTCOMES: Mapping[str, Outcome] = {"fail": "failed", "warn": "warned", "ignore": "ignored"}
_NOT_COUNTED = {
    "foreign": "{} of another project's code",
    "altered": "{} altered after the job",
    "in_trash": "{} in the trash",
    "failed": "{} that did not finish well",
}


Known = dict[tuple[int, str, str, Wanted], Baselines]
"""Baselines of a project's branch, as of a commit of it."""


def judge(
    access: ReadAccess,
    host: Host,
    merge_request: MergeRequest,
    rules: Sequence[Rule],
    known: Known,
) -> tuple[Result, ...]:
    """One result for each rule, in a number of statements that does not depend on how many.

    Baselines that are `known` are not looked up, and those that are looked up become known.
    """
    bench = _Bench(access, merge_request, rules)
    bench.compare(host, known)
    return tuple(bench.result(rule) for rule in rules)


class _Bench:
    """The candidates of one merge request, and what they are judged by."""

    def __init__(
        self, access: ReadAccess, merge_request: MergeRequest, rules: Sequence[Rule]
    ) -> None:
        self._access = access
        self._merge_request = merge_request
        self._rules = rules
        metrics = {rule.metric for rule in rules}
        self._trained = facts.trained(access, merge_request.head_sha, metrics)
        self._chosen = {each: self._choose(each) for each in {rule.experiment for rule in rules}}
        self._baselines: dict[Wanted, Baselines] = {}

    def compare(self, host: Host, known: Known) -> None:
        """Find what the rules compare with."""
        access, target = self._access, self._merge_request
        place = access.project.id, target.target_branch, target.target_sha
        wanted = {each for rule in self._rules if (each := self._wanted(rule)) is not None}
        if unknown := [each for each in wanted if (*place, each) not in known]:
            found = baselines_of(access, host, target, unknown)
            known.update({(*place, each): found[each] for each in unknown})
        self._baselines = {each: known[*place, each] for each in wanted}

    def result(self, rule: Rule) -> Result:
        """What comes of a rule."""
        candidate = self._chosen[rule.experiment]
        if candidate is None:
            return self._without_candidate(rule)
        value = candidate.values.get(rule.metric)
        judged = Judged(candidate.id, candidate.iid, candidate.name, value)
        if value is None:
            reason = f"The candidate has no {rule.metric}."
            return Result(rule, _OUTCOMES[rule.missing], reason, judged)
        if math.isnan(value):
            reason = f"{rule.metric} is not a number (NaN)."
            return Result(rule, _OUTCOMES[rule.on_fail], reason, judged)
        return self._compared(rule, judged, value)

    def _choose(self, experiment: str | None) -> Trained | None:
        """The candidate that all rules on an experiment judge: the best by the first of them.

        That is, the first whose metric one of them has. If each rule chose for itself, all could
        be met without a single candidate that meets them.
        """
        finished = [each for each in self._of(experiment) if each.is_finished]
        rules = (rule for rule in self._rules if rule.experiment == experiment)
        best = (facts.best(finished, rule) for rule in rules)
        return next((each for each in best if each is not None), None)

    def _of(self, experiment: str | None) -> list[Trained]:
        return [each for each in self._trained if experiment in (None, each.experiment)]

    def _wanted(self, rule: Rule) -> Wanted | None:
        """The baseline that a rule needs."""
        candidate = self._chosen[rule.experiment]
        if rule.largest_drop is None or candidate is None:
            return None
        better: Better = "higher" if rule.greater_is_better else "lower"
        return Wanted(candidate.experiment_id, rule.metric, better)

    def _compared(self, rule: Rule, judged: Judged, value: float) -> Result:
        baseline = self._baseline(rule)
        branch = self._merge_request.target_branch
        against = None if baseline is None else baseline.value
        both = (
            comparing.with_floor(rule, value),
            comparing.with_baseline(rule, value, against, branch),
        )
        found = [each for each in both if each is not None]
        # Each shows as many digits as it needs.
        number = max((each.value for each in found), key=len, default=comparing.shown(value))
        words = " and ".join(each.words for each in found) or "is there"
        faults = {each.fault for each in found}
        fault = next((each for each in ("fail", "warn") if each in faults), None)
        outcome = "passed" if fault is None else _OUTCOMES[fault]
        return Result(rule, outcome, f"{rule.metric} {number} {words}.", judged, baseline)

    def _baseline(self, rule: Rule) -> Judged | None:
        wanted = self._wanted(rule)
        if wanted is None:
            return None
        found = self._baselines[wanted]
        value = found.best if rule.against == "best" else found.newest
        return None if value is None else Judged(value.id, value.iid, value.name, value.value)

    def _without_candidate(self, rule: Rule) -> Result:
        """No candidate of the commit that ended well has the metrics of the rules on this one."""
        running = next((each for each in self._of(rule.experiment) if each.is_running), None)
        if running is not None:
            reason = f"A candidate that may log {rule.metric} is still running."
            judged = Judged(running.id, running.iid, running.name, None)
            return Result(rule, "pending", reason, judged)
        if self._merge_request.is_from_fork:
            # As strictly as the rule can be, for nothing that a fork does may pass as harmless.
            is_strict = "fail" in (rule.on_fail, rule.missing)
            return Result(rule, "failed" if is_strict else "warned", self._about_forks)
        where = "" if rule.experiment is None else f" in the experiment {rule.experiment}"
        reason = f"No candidate of {self._sha}{where} has {rule.metric}{self._explanation}."
        return Result(rule, _OUTCOMES[rule.missing], reason)

    @property
    def _sha(self) -> str:
        return self._merge_request.head_sha[:SHORT_SHA] or "the merge request"

    @property
    def _about_forks(self) -> str:
        return (
            f"Candidates of a fork do not count; a maintainer can push {self._sha} to a branch of "
            f"{self._access.project.path}, after a look at it, and run the pipeline there."
        )

    @cached_property
    def _explanation(self) -> str:
        """Which candidates of the commit do not count, or how to get one that does."""
        counts = facts.discounted(self._access, self._merge_request.head_sha)._asdict()
        said = [_NOT_COUNTED[name].format(count) for name, count in counts.items() if count]
        if said:
            return f" (not counted: {', '.join(said)})"
        if self._trained:
            return "; those that count are in other experiments, or log other metrics"
        return "; candidates count that a job of this project logs when it runs for this commit"
