"""Parents and children among candidates, on SQLite and on PostgreSQL."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Project
from gitlab_mlops.models import CandidateTag, MetricKey, MetricSeries, Param
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.search import (
    count_children,
    count_found,
    find_parents,
    has_children,
    search_candidates,
    search_children,
)
from gitlab_mlops.wire.filters import parse_candidate_filter
from tests.unit.rows import add_candidate, add_experiment, counted

PROJECT, OTHER = Project(7, "a/b", "b"), Project(8, "a/c", "c")
BY_METRIC = Order("metric", "m", descending=True)


class Tree:
    """Candidates that have children, in the Default of a project."""

    def __init__(self, session: Session, project: Project = PROJECT) -> None:
        self.session, self.project = session, project
        self.access = ReadAccess(None, project, session)
        self.experiment_id = add_experiment(session, project)
        key = MetricKey(project_id=project.id, key="m")
        session.add(key)
        session.flush()
        self.key_id = key.id
        self.eids: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def add(
        self, name: str, parent: str = "", *, m: float | None = None, p: str = "", **more: int
    ) -> str:
        """A candidate, the child of the one of this name, or of this eid."""
        iid = len(self.eids) + 1
        made = add_candidate(self.session, self.project, iid, name, start_time=iid, **more)
        self.eids[name], self.names[made.eid] = made.eid, name
        if parent:
            value = self.eids.get(parent, parent)
            row = {"candidate_id": made.id, "key": "mlflow.parentRunId", "value": value}
            self.session.execute(insert(CandidateTag).values(row))
        if m is not None:
            series = MetricSeries(
                candidate_id=made.id, experiment_id=self.experiment_id, key_id=self.key_id,
                step=0, timestamp=0, value=m,
            )  # fmt: skip
            self.session.add(series)
        if p:
            row = {"candidate_id": made.id, "experiment_id": self.experiment_id, "key": "p"}
            self.session.execute(insert(Param).values(row | {"value": p}))
        self.session.flush()
        return made.eid

    def top(self, *order: Order, view: str = "active", limit: int = 50) -> list[str]:
        """The names of the candidates without a parent, page by page."""
        found: list[str] = []
        after = None
        while True:
            page = search_candidates(
                self.access, [self.experiment_id], order=order, view=view,  # type: ignore[arg-type]
                top_level=True, limit=limit, after=after,
            )  # fmt: skip
            found += [row[5] for row in page.rows]
            if (after := page.after) is None:
                return found

    def children(self, *parents: str, order: Order | None = None, limit: int = 9) -> list[str]:
        """The children of these parents, each as parent:name."""
        found = search_children(
            self.access, self.experiment_id, [self.eids[each] for each in parents],
            order=[order] if order else [], limit=limit,
        )  # fmt: skip
        return [f"{self.names[parent]}:{row[5]}" for parent, row in found]


@pytest.fixture
def tree(session: Session) -> Tree:
    return Tree(session)


def test_children_are_not_at_the_top_and_everybody_else_is(tree: Tree) -> None:
    tree.add("a")
    tree.add("a1", "a")
    tree.add("a11", "a1")
    tree.add("lost", "f" * 32)
    tree.add("b")
    assert tree.top() == ["b", "lost", "a"]
    assert tree.top(limit=1) == ["b", "lost", "a"]


def test_parents_of_other_projects_experiments_and_views_do_not_count(
    tree: Tree, session: Session
) -> None:
    foreign = Tree(session, OTHER).add("foreign")
    elsewhere = add_experiment(session, PROJECT, 5)
    far = add_candidate(session, PROJECT, 90, "far")
    far.experiment_id = elsewhere
    tree.add("gone", deleted_at=1)
    for name, parent in (("a", foreign), ("b", far.eid), ("c", "gone")):
        tree.add(name, parent)
    tree.add("gone too", "gone", deleted_at=1)
    assert tree.top() == ["c", "b", "a"]
    assert tree.top(view="deleted") == ["gone"]


def test_children_come_in_the_order_of_the_table(tree: Tree) -> None:
    for parent in "ab":
        tree.add(parent)
    values = {"low": 1.0, "nan": math.nan, "high": math.inf, "none": None, "mid": 5.0}
    for name, value in values.items():
        tree.add(name, "a", m=value, p=name)
    tree.add("b1", "b", m=3.0)
    assert tree.children("a", order=BY_METRIC) == ["a:high", "a:mid", "a:low", "a:nan", "a:none"]
    upwards = Order("metric", "m")
    assert tree.children("a", order=upwards) == ["a:low", "a:mid", "a:high", "a:nan", "a:none"]
    by_param = Order("param", "p")
    assert tree.children("a", order=by_param) == ["a:high", "a:low", "a:mid", "a:nan", "a:none"]
    assert tree.children("a") == ["a:mid", "a:none", "a:high", "a:nan", "a:low"]
    assert tree.children("a", order=Order("metric", "unknown")) == tree.children("a")


def test_each_parent_has_its_own_first_children(tree: Tree, engine: Engine) -> None:
    for parent in "ab":
        tree.add(parent)
        for number in range(5):
            tree.add(f"{parent}{number}", parent, m=float(number))
    with counted(engine) as statements:
        found = tree.children("a", "b", order=BY_METRIC, limit=2)
    assert sorted(found) == ["a:a3", "a:a4", "b:b3", "b:b4"]
    assert len(statements) == 2  # one is for the id of the metric


def test_children_in_the_trash_or_of_others_are_not_shown(tree: Tree, session: Session) -> None:
    parent = tree.add("a")
    tree.add("gone", "a", deleted_at=1)
    Tree(session, OTHER).add("foreign", parent)
    assert tree.children("a") == []
    assert count_children(tree.access, tree.experiment_id, [parent], "active") == {}
    assert count_children(tree.access, tree.experiment_id, [parent], "deleted") == {parent: 1}


def test_children_are_counted_and_parents_found(tree: Tree, session: Session) -> None:
    parent, alone = tree.add("a"), tree.add("b")
    for number in range(3):
        tree.add(f"a{number}", "a")
    counts = count_children(tree.access, tree.experiment_id, [parent, alone], "active")
    assert counts == {parent: 3}
    found = find_parents(tree.access, [parent, "f" * 32])
    assert {eid: (each.iid, each.name) for eid, each in found.items()} == {parent: (1, "a")}
    assert find_parents(ReadAccess(None, OTHER, session), [parent]) == {}


def test_the_newest_candidates_tell_whether_there_are_children(tree: Tree) -> None:
    tree.add("a")
    assert not has_children(tree.access, tree.experiment_id)
    tree.add("gone", "a", deleted_at=1)
    assert not has_children(tree.access, tree.experiment_id)
    tree.add("a1", "a")
    assert has_children(tree.access, tree.experiment_id)


def test_a_parent_of_any_length_is_stored(tree: Tree) -> None:
    # An index of PostgreSQL takes no 8,000 characters that do not compress.
    long = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(8000))
    tree.add("a", long)
    assert tree.top() == ["a"]


def test_the_children_are_found_by_their_index(tree: Tree, session: Session) -> None:
    tree.add("a")
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))
    statement = (
        "SELECT candidate_id FROM mlops_candidate_tags"
        " WHERE key = 'mlflow.parentRunId' AND length(value) = 32 AND value IN ('x', 'y')"
    )
    explain = (
        "EXPLAIN " if session.get_bind().dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    )
    plan = " ".join(str(row) for row in session.execute(text(explain + statement)))
    assert "ix_mlops_candidate_tags_parent" in plan


def test_what_a_filter_finds_is_counted_up_to_a_limit(tree: Tree) -> None:
    for number in range(6):
        tree.add(f"c{number}", m=float(number), p=str(number % 2))
    for filter_, expected in (
        ("metrics.m > 1", 4),
        ("metrics.m > 0 and params.p = '1'", 3),
        ("params.p = '0' or metrics.m = 5", 4),
        ("metrics.unknown > 0", 0),
    ):
        where = parse_candidate_filter(filter_)
        for limit in (2, 50):
            found = count_found(tree.access, [tree.experiment_id], where=where, limit=limit)
            assert found == min(expected, limit), filter_
    assert count_found(tree.access, [tree.experiment_id], where=None, limit=50) == 6
    trash = {"where": None, "view": "deleted", "limit": 50}
    assert count_found(tree.access, [tree.experiment_id], **trash) == 0  # type: ignore[arg-type]
