"""A gate judges what CI trained of the head commit, and nothing else, by the target's policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Status
from gitlab_mlops.services.gate import facts
from gitlab_mlops.services.gate.verdict import Result, Verdict, evaluate
from tests.unit.gating import BASE, HEAD, RULE, TARGET, World, make_world
from tests.unit.rows import counted

FLOOR = {**RULE, "floor": 0.9}
DROP = {**RULE, "largest_drop": 0.01}
LOWER = {"metric": "loss", "better": "lower"}
OTHER_SHA = "d" * 40


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


def on_main(world: World, sha: str = BASE, **more: Any) -> int:
    """A candidate of the target branch; its iid."""
    return world.train(sha=sha, ref="main", **more).iid


def verdict(world: World, *rules: dict[str, Any], **changes: Any) -> Verdict:
    world.policy(*rules)
    found = world.evaluate(**changes)
    assert found is not None
    return found


def result(world: World, rule: dict[str, Any], **changes: Any) -> Result:
    (found,) = verdict(world, rule, **changes).results
    return found


def outcomes(results: Sequence[Result]) -> list[str]:
    return [each.outcome for each in results]


# Values.


@pytest.mark.parametrize(
    ("rule", "values", "outcome", "reason"),
    [
        (FLOOR, {"accuracy": 0.9}, "passed", "accuracy 0.9 reaches the floor of 0.9."),
        (FLOOR, {"accuracy": 0.89}, "failed", "accuracy 0.89 is below the floor of 0.9."),
        (
            FLOOR,
            {"accuracy": 0.8999999999},
            "failed",
            "accuracy 0.8999999999 is below the floor of 0.9.",
        ),
        ({**FLOOR, "on_fail": "warn"}, {"accuracy": 0.1}, "warned", "accuracy 0.1 is below"),
        ({**LOWER, "floor": 2}, {"loss": 2.0}, "passed", "loss 2 keeps within the limit of 2."),
        ({**LOWER, "floor": 2}, {"loss": 2.5}, "failed", "loss 2.5 is above the limit of 2."),
        (RULE, {"accuracy": 0.0}, "passed", "accuracy 0 is there."),
        (RULE, {"accuracy": math.nan}, "failed", "accuracy is not a number (NaN)."),
        ({**RULE, "on_fail": "warn"}, {"accuracy": math.nan}, "warned", "accuracy is not a"),
        (FLOOR, {"accuracy": math.inf}, "passed", "accuracy inf reaches"),
        (FLOOR, {"accuracy": -math.inf}, "failed", "accuracy -inf is below"),
    ],
)
def test_a_value_is_compared_with_the_floor(
    world: World, rule: dict[str, Any], values: dict[str, float], outcome: str, reason: str
) -> None:
    candidate = world.train(metrics=values)
    found = result(world, rule)
    assert found.outcome == outcome
    assert found.reason.startswith(reason)
    assert found.candidate is not None
    assert (found.candidate.id, found.candidate.iid) == (candidate.id, candidate.iid)


@pytest.mark.parametrize(
    ("rule", "value", "baseline", "outcome", "reason"),
    [
        (DROP, 0.94, 0.95, "passed", "x 0.94 is 0.01 worse than the best on main (0.95)."),
        (
            DROP,
            0.9399,
            0.95,
            "failed",
            "x 0.9399 is 0.0101 worse than the best on main (0.95), where at most 0.01 is allowed.",
        ),
        (DROP, 0.96, 0.95, "passed", "x 0.96 is 0.01 better than the best on main (0.95)."),
        (DROP, 0.95, 0.95, "passed", "x 0.95 is as good as the best on main (0.95)."),
        ({**LOWER, "largest_drop": 0.1}, 1.1, 1.0, "passed", "x 1.1 is 0.1 worse than"),
        ({**LOWER, "largest_drop": 0.1}, 1.11, 1.0, "failed", "x 1.11 is 0.11 worse than"),
        ({**RULE, "largest_drop": "10%"}, 0.9, 1.0, "passed", "x 0.9 is 0.1 worse than"),
        ({**RULE, "largest_drop": "10%"}, 0.89, 1.0, "failed", "x 0.89 is 0.11 worse than"),
        ({**LOWER, "largest_drop": "10%"}, -9.0, -10.0, "passed", "x -9 is 1 worse than"),
        ({**LOWER, "largest_drop": "10%"}, -8.9, -10.0, "failed", "x -8.9 is 1.1 worse than"),
        ({**RULE, "largest_drop": "0%"}, 0.0, 0.0, "passed", "x 0 is as good as"),
        ({**RULE, "largest_drop": "50%"}, -0.1, 0.0, "failed", "x -0.1 is 0.1 worse than"),
        ({**RULE, "largest_drop": 0}, 0.1 + 0.2, 0.3, "passed", "x 0.30000000000000004 is"),
        ({**DROP, "on_fail": "warn"}, 0.1, 0.9, "warned", "x 0.1 is 0.8 worse than"),
        (DROP, 1.0, math.inf, "failed", "x 1 is worse than the best on main (inf)"),
        ({**RULE, "largest_drop": "99%"}, 1.0, math.inf, "failed", "x 1 is worse than"),
        (DROP, math.inf, math.inf, "passed", "x inf is as good as"),
        (DROP, math.inf, 1.0, "passed", "x inf is better than the best on main (1)."),
        (DROP, -math.inf, 1.0, "failed", "x -inf is worse than"),
    ],
)
def test_a_value_is_compared_with_the_target_branch(
    world: World, rule: dict[str, Any], value: float, baseline: float, outcome: str, reason: str
) -> None:
    iid = on_main(world, x=baseline)
    world.train(x=value)
    found = result(world, {**rule, "metric": "x"})
    assert (found.outcome, found.reason[: len(reason)]) == (outcome, reason)
    assert found.baseline is not None
    assert (found.baseline.iid, found.baseline.value) == (iid, baseline)


def test_floor_and_baseline_are_told_in_one_sentence(world: World) -> None:
    on_main(world, accuracy=0.95)
    world.train(accuracy=0.92)
    found = result(world, {**DROP, "floor": 0.9})
    assert found.outcome == "failed"
    assert found.reason == (
        "accuracy 0.92 reaches the floor of 0.9 and is 0.03 worse than the best on main (0.95), "
        "where at most 0.01 is allowed."
    )


def test_the_newest_of_the_target_branch_counts_if_the_rule_says_so(world: World) -> None:
    on_main(world, accuracy=0.99)
    newest = on_main(world, accuracy=0.9)
    world.train(accuracy=0.9)
    assert result(world, DROP).outcome == "failed"
    found = result(world, {**DROP, "against": "newest"})
    assert found.reason == "accuracy 0.9 is as good as the newest on main (0.9)."
    assert found.baseline is not None
    assert found.baseline.iid == newest


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ({}, "passed"),
        ({"without_baseline": "warn"}, "warned"),
        ({"without_baseline": "fail"}, "failed"),
    ],
)
def test_nothing_to_compare_with_is_what_the_rule_says(
    world: World, says: dict[str, str], outcome: str
) -> None:
    world.train(accuracy=0.9)
    found = result(world, {**DROP, **says})
    assert found.outcome == outcome
    assert found.reason == "accuracy 0.9 has nothing on main to be compared with yet."
    assert found.baseline is None


def test_a_floor_fails_also_if_there_is_nothing_to_compare_with(world: World) -> None:
    world.train(accuracy=0.1)
    assert result(world, {**DROP, "floor": 0.9}).outcome == "failed"


def test_a_candidate_is_compared_within_its_experiment(world: World) -> None:
    on_main(world, experiment="other", accuracy=0.99)
    world.train(accuracy=0.5)
    assert result(world, DROP).baseline is None


# Which candidate.


def test_rules_of_one_experiment_judge_one_candidate(world: World) -> None:
    accurate = world.train(accuracy=0.99, latency=900)
    world.train(accuracy=0.5, latency=1)
    fast = {"experiment": "digits", "metric": "latency", "better": "lower", "floor": 100}
    found = verdict(world, {**FLOOR, "experiment": "digits"}, fast)
    assert outcomes(found.results) == ["passed", "failed"]
    assert {each.candidate and each.candidate.iid for each in found.results} == {accurate.iid}


def test_rules_without_an_experiment_judge_one_candidate_of_whichever(world: World) -> None:
    world.train(experiment="a", accuracy=0.5, latency=1)
    best = world.train(experiment="b", accuracy=0.99, latency=900)
    fast = {"metric": "latency", "better": "lower", "floor": 100}
    found = verdict(world, FLOOR, fast)
    assert outcomes(found.results) == ["passed", "failed"]
    assert {each.candidate and each.candidate.iid for each in found.results} == {best.iid}


def test_rules_of_different_experiments_judge_each_their_own(world: World) -> None:
    world.train(experiment="a", accuracy=0.95)
    world.train(experiment="b", accuracy=0.5)
    rules = [{**FLOOR, "experiment": name} for name in ("a", "b", "c")]
    assert outcomes(verdict(world, *rules).results) == ["passed", "failed", "failed"]


def test_of_equal_candidates_the_newest_is_judged(world: World) -> None:
    world.train(accuracy=0.95)
    newest = world.train(accuracy=0.95)
    found = result(world, FLOOR)
    assert found.candidate is not None
    assert found.candidate.iid == newest.iid


def test_nan_is_judged_only_if_there_is_nothing_else(world: World) -> None:
    world.train(loss=5.0)
    world.train(loss=math.nan)
    assert result(world, {**LOWER, "floor": 6}).outcome == "passed"


def test_the_first_metric_that_there_is_chooses(world: World) -> None:
    world.train(latency=5)
    world.train(latency=3)
    slow = {"metric": "latency", "better": "lower", "floor": 4}
    found = verdict(world, {**RULE, "missing": "ignore"}, slow)
    assert outcomes(found.results) == ["ignored", "passed"]
    assert found.results[0].reason == "The candidate has no accuracy."


# What is missing.


@pytest.mark.parametrize(
    ("says", "outcome", "state"),
    [
        ({}, "failed", "failed"),
        ({"missing": "warn"}, "warned", "warning"),
        ({"missing": "ignore"}, "ignored", "success"),
    ],
)
def test_a_missing_candidate_is_what_the_rule_says(
    world: World, says: dict[str, str], outcome: str, state: str
) -> None:
    found = verdict(world, {**FLOOR, **says})
    assert (outcomes(found.results), found.state) == ([outcome], state)
    assert found.results[0].reason == (
        "No candidate of aaaaaaaa has accuracy; candidates count that a job of this project logs "
        "when it runs for this commit."
    )


def test_it_is_told_which_candidates_do_not_count(world: World) -> None:
    world.train(accuracy=1, stamp={"source_project_id": 999})
    world.train(accuracy=1, stamp={"altered_at": 5})
    world.train(accuracy=1, stamp={"altered_at": 5})
    world.train(accuracy=1, deleted_at=5)
    world.train(accuracy=1, status=Status.FAILED)
    found = result(world, {**FLOOR, "experiment": "digits"})
    assert found.reason == (
        "No candidate of aaaaaaaa in the experiment digits has accuracy (not counted: 1 of another "
        "project's code, 2 altered after the job, 1 in the trash, 1 that did not finish well)."
    )


def test_it_is_told_that_candidates_are_elsewhere(world: World) -> None:
    world.train(experiment="letters", accuracy=1)
    found = result(world, {**FLOOR, "experiment": "digits"})
    assert found.reason.endswith(
        "; those that count are in other experiments, or log other metrics."
    )


@pytest.mark.parametrize("status", [Status.RUNNING, Status.SCHEDULED])
def test_a_candidate_that_runs_is_waited_for(world: World, status: Status) -> None:
    running = world.train(status=status, accuracy=0.1)
    found = verdict(world, FLOOR)
    assert (found.state, outcomes(found.results)) == ("pending", ["pending"])
    assert found.results[0].candidate is not None
    assert found.results[0].candidate.iid == running.iid
    world.train(accuracy=0.95)
    assert verdict(world, FLOOR).state == "success"


def test_nothing_is_waited_for_in_another_experiment(world: World) -> None:
    world.train(experiment="letters", status=Status.RUNNING)
    assert result(world, {**FLOOR, "experiment": "digits"}).outcome == "failed"


# What does not count.


@pytest.mark.parametrize(
    "kind",
    [
        {"is_stamped": False},
        {"sha": OTHER_SHA},
        {"sha": BASE},
        {"stamp": {"source_project_id": 999}},
        {"stamp": {"altered_at": 1}},
        {"stamp": {"project_id": 999}},
        {"deleted_at": 1},
        {"status": Status.FAILED},
        {"status": Status.KILLED},
    ],
)
def test_what_is_no_fact_about_the_head_commit_never_counts(
    world: World, kind: dict[str, Any]
) -> None:
    world.train(accuracy=1.0, **kind)
    found = result(world, FLOOR)
    assert (found.outcome, found.candidate) == ("failed", None)


def test_candidates_of_an_experiment_in_the_trash_never_count(world: World) -> None:
    world.train(accuracy=1.0)
    world.experiment("digits").deleted_at = 1
    assert result(world, FLOOR).candidate is None


def test_candidates_of_another_project_never_count(world: World) -> None:
    other = world.forge.add_project("group/other")
    world.train(project=other, accuracy=1.0)
    world.train(project=other, accuracy=1.0, stamp={"source_project_id": world.project.id})
    assert result(world, FLOOR).candidate is None
    # Nor is their stamp believed if it names this project.
    mine = {"project_id": world.project.id, "source_project_id": world.project.id}
    world.train(project=other, accuracy=1.0, stamp=mine)
    assert result(world, FLOOR).candidate is None
    assert facts.trained(world.access, HEAD, ["accuracy"]) == []


def test_only_the_head_counts_and_not_earlier_commits(world: World) -> None:
    world.train(sha=OTHER_SHA, accuracy=1.0)
    assert result(world, FLOOR, commits=(HEAD, OTHER_SHA)).outcome == "failed"


def test_a_merge_request_without_commits_has_no_candidates(world: World) -> None:
    world.train(sha="", accuracy=1.0)
    assert result(world, FLOOR, head_sha="").reason.startswith("No candidate of the merge request")


@pytest.mark.parametrize(
    "kind",
    [
        {"ref": "feature"},
        {"stamp": {"source_project_id": 999}},
        {"stamp": {"altered_at": 1}},
        {"is_stamped": False},
        {"deleted_at": 1},
        {"status": Status.FAILED},
        {"status": Status.RUNNING},
        {"sha": OTHER_SHA},
    ],
)
def test_what_is_no_fact_about_the_target_branch_is_no_baseline(
    world: World, kind: dict[str, Any]
) -> None:
    world.repository.gone.add(OTHER_SHA)
    world.train(accuracy=0.99, **{"ref": "main", "sha": BASE, **kind})
    world.train(accuracy=0.5)
    assert result(world, DROP).baseline is None


# Forks.


FORK = {"source_project_id": 999, "source_branch": "main"}


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ({}, "failed"),
        ({"missing": "ignore"}, "failed"),
        ({"on_fail": "warn"}, "failed"),
        ({"on_fail": "warn", "missing": "warn"}, "warned"),
        ({"on_fail": "warn", "missing": "ignore"}, "warned"),
    ],
)
def test_a_merge_request_from_a_fork_fails_and_says_what_to_do(
    world: World, says: dict[str, str], outcome: str
) -> None:
    fork = world.forge.add_project("stranger/project")
    world.train(accuracy=1.0, stamp={"source_project_id": fork.id})
    world.train(project=fork, accuracy=1.0)
    world.train(accuracy=1.0, is_stamped=False)
    found = result(world, {**FLOOR, **says}, source_project_id=fork.id)
    assert (found.outcome, found.candidate) == (outcome, None)
    assert found.reason == (
        "Candidates of a fork do not count; a maintainer can push aaaaaaaa to a branch of "
        "group/project, after a look at it, and run the pipeline there."
    )


def test_what_the_project_trained_of_the_same_commit_counts_for_a_fork(world: World) -> None:
    world.train(accuracy=0.95, ref="checked/from-a-fork")
    assert result(world, FLOOR, **FORK).outcome == "passed"


# The policy.


def test_without_a_policy_there_is_no_verdict(world: World) -> None:
    world.train(accuracy=1.0)
    assert world.evaluate() is None
    world.write("gate: []")
    assert world.evaluate() is None


def test_without_a_repository_there_is_no_verdict(world: World) -> None:
    world.policy(FLOOR)
    host = world.forge.host()
    assert evaluate(world.access, host, world.propose()) is None


def test_the_policy_is_the_targets_and_never_the_sources(world: World) -> None:
    world.train(accuracy=0.5)
    world.policy(FLOOR, ref=TARGET)
    for ref in (HEAD, "feature", "main"):
        world.policy({**FLOOR, "floor": 0}, ref=ref)
    found = world.evaluate()
    assert found is not None
    assert found.state == "failed"


def test_a_policy_of_the_source_alone_is_none(world: World) -> None:
    for ref in (HEAD, "feature"):
        world.policy(FLOOR, ref=ref)
    assert world.evaluate() is None


def test_without_a_commit_the_branch_is_asked(world: World) -> None:
    world.policy(FLOOR, ref="main")
    assert world.evaluate(target_sha="") is not None
    assert world.evaluate(target_sha="", target_branch="") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gate: nothing", ".mlops.yml, line 1: “gate” must be a list of rules, each of which"),
        (ValueError("It is 70 KiB."), ".mlops.yml cannot be read: It is 70 KiB."),
    ],
)
def test_a_policy_that_is_wrong_closes_the_gate(
    world: World, text: str | Exception, expected: str
) -> None:
    world.train(accuracy=1.0)
    world.write(text)
    found = world.evaluate()
    assert found is not None
    assert (found.state, found.results) == ("failed", ())
    assert found.summary.startswith(expected)


# The whole.


@pytest.mark.parametrize(
    ("values", "state", "summary"),
    [
        ({"a": 1, "b": 1}, "success", "2 rules: 2 passed."),
        ({"a": 1, "b": 0}, "warning", "2 rules: 1 warned, 1 passed."),
        ({"a": 0, "b": 0}, "failed", "2 rules: 1 failed, 1 warned."),
    ],
)
def test_the_worst_result_is_the_verdict(
    world: World, values: dict[str, float], state: str, summary: str
) -> None:
    world.train(metrics=values)
    strict = {"metric": "a", "better": "higher", "floor": 0.5}
    found = verdict(world, strict, {**strict, "metric": "b", "on_fail": "warn"})
    assert (found.state, found.summary) == (state, summary)


def test_the_reader_does_not_matter(world: World) -> None:
    world.policy(DROP)
    on_main(world, accuracy=0.9)
    world.train(accuracy=0.95)
    merge_request = world.propose()
    anonymous = ReadAccess(None, world.project, world.session)
    mine = evaluate(world.access, world.host, merge_request)
    assert mine == evaluate(anonymous, world.host, merge_request)


def test_a_merge_request_of_another_project_is_refused(world: World) -> None:
    other = world.forge.add_project("group/other")
    with pytest.raises(LookupError):
        evaluate(world.access, world.host, world.propose(project_id=other.id))


def test_the_number_of_statements_depends_on_nothing(world: World, engine: Engine) -> None:
    rules = [{**DROP, "metric": f"m{i}", "experiment": f"e{i % 5}"} for i in range(50)]
    values = {f"m{i}": 1.0 for i in range(50)}
    on_main(world, experiment="e0", metrics=values)
    world.train(experiment="e0", metrics=values)
    with counted(engine) as few:
        verdict(world, {**DROP, "metric": "m0", "experiment": "e0"})
    for i in range(5):
        on_main(world, experiment=f"e{i}", metrics=values)
        world.train(experiment=f"e{i}", metrics=values)
    with counted(engine) as many:
        verdict(world, *rules)
    assert len(few) == len(many) <= 6


def test_of_one_commit_so_many_candidates_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MAX_CANDIDATES", 2)
    world.train(accuracy=1.0)
    world.train(accuracy=0.5)
    world.train(accuracy=0.6)
    found = result(world, FLOOR)
    assert found.candidate is not None
    assert found.candidate.value == 0.6
