"""Finding registered models and versions, page by page.

MLflow keeps prompts in the registry too, and a search finds either prompts or models: prompts if
its first comparison of the tag `mlflow.prompt.is_prompt` asks for them, else everything else,
with or without that tag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import aliased

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import (
    MARKS_PROMPT,
    PROMPT_TAG,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from gitlab_mlops.services.expressions import And, Comparison, Expression, Order, comparisons
from gitlab_mlops.services.registry.records import EID, MODEL_COLUMNS, select_versions
from gitlab_mlops.services.search.conditions import compare_optional
from gitlab_mlops.services.search.keyset import Position, Rank, SortKey
from gitlab_mlops.services.search.pages import Page, read_page
from gitlab_mlops.services.search.values import (
    Column,
    Condition,
    compare_text,
    compare_time,
    dialect_of,
)

MODEL_KEYS: dict[str, Column] = {
    "name": RegisteredModel.name.expression,
    "created_at": RegisteredModel.created_at.expression,
    "updated_at": RegisteredModel.updated_at.expression,
}
VERSION_KEYS: dict[str, Column] = {
    "name": RegisteredModel.name.expression,
    "version": ModelVersion.version.expression,
    "source": ModelVersion.source.expression,
    "eid": EID,
    "created_at": ModelVersion.created_at.expression,
    "updated_at": ModelVersion.updated_at.expression,
}
NUMBERS = frozenset({"version", "created_at", "updated_at"})
BY_NAME = Order("attribute", "name")
BY_VERSION = Order("attribute", "version", descending=True)
NEWEST_VERSIONS = (Order("attribute", "updated_at", descending=True), BY_NAME, BY_VERSION)

Leaf = Callable[[Comparison], Condition]


def search_models(
    access: ReadAccess,
    *,
    where: Expression | None = None,
    order: Sequence[Order] = (),
    limit: int,
    after: Position | None = None,
) -> Page:
    """The registered models that an expression finds, by name if nothing else is said.

    The rows are those of `records.MODEL_COLUMNS`, for `records.load_models`. Raises `Invalid` if
    `after` is of another order.
    """
    keys = [_sort_key(each, MODEL_KEYS) for each in _with_ties_broken(order, BY_NAME)]
    dialect = dialect_of(access.session)

    def compare(comparison: Comparison) -> Condition:
        if comparison.entity == "tag":
            return compare_optional(_tag_of_model(comparison.key), comparison, dialect)
        return _compare(MODEL_KEYS[comparison.key], comparison, dialect)

    condition = _only_models_or_prompts(where, compare, is_prompt_model())

    def statement(rank: Rank) -> Any:
        return select(*MODEL_COLUMNS).where(
            RegisteredModel.project_id == access.project.id, condition
        )

    return read_page(access.session, keys, statement, limit=limit, after=after)


def search_versions(
    access: ReadAccess,
    *,
    where: Expression | None = None,
    order: Sequence[Order] = (),
    limit: int,
    after: Position | None = None,
) -> Page:
    """The versions that an expression finds, the last changed first if nothing else is said.

    The rows are for `records.load_versions`. Raises `Invalid` if `after` is of another order.
    """
    ordered = _with_ties_broken(order or NEWEST_VERSIONS, BY_NAME, BY_VERSION)
    keys = [_sort_key(each, VERSION_KEYS) for each in ordered]
    dialect = dialect_of(access.session)

    def compare(comparison: Comparison) -> Condition:
        if comparison.entity == "tag":
            return compare_optional(_tag_of_version(comparison.key), comparison, dialect)
        return _compare(VERSION_KEYS[comparison.key], comparison, dialect)

    condition = _only_models_or_prompts(where, compare, _has_prompt_version(access))

    def statement(rank: Rank) -> Any:
        return select_versions(access).where(condition)

    return read_page(access.session, keys, statement, limit=limit, after=after)


def _with_ties_broken(order: Sequence[Order], *ties: Order) -> list[Order]:
    given = {each.key for each in order}
    return [*order, *(tie for tie in ties if tie.key not in given)]


def _sort_key(order: Order, columns: dict[str, Column]) -> SortKey:
    kind = int if order.key in NUMBERS else str
    return SortKey(columns[order.key], kind, order.descending)


def _compare(column: Column, comparison: Comparison, dialect: str) -> Condition:
    if comparison.key in NUMBERS:
        return compare_time(column, comparison)
    return compare_text(column, comparison, dialect)


def _tag_of_model(key: str) -> Column:
    tag = aliased(RegisteredModelTag)
    found = select(tag.value).where(tag.model_id == RegisteredModel.id, tag.key == key)
    return found.correlate(RegisteredModel).scalar_subquery()


def _tag_of_version(key: str) -> Column:
    tag = aliased(ModelVersionTag)
    found = select(tag.value).where(tag.version_id == ModelVersion.id, tag.key == key)
    return found.correlate(ModelVersion).scalar_subquery()


def is_prompt_model() -> Condition:
    """Whether a registered model is one of MLflow's prompts."""
    return RegisteredModel.id.in_(
        select(RegisteredModelTag.model_id).where(
            RegisteredModelTag.model_id == RegisteredModel.id,
            RegisteredModelTag.key == PROMPT_TAG,
            RegisteredModelTag.value == "true",
        )
    )


def _has_prompt_version(access: ReadAccess) -> Condition:
    """Whether any version of the version's model is a prompt, as MLflow asks."""
    version = aliased(ModelVersion)
    marked = select(ModelVersionTag.version_id).where(MARKS_PROMPT, ModelVersionTag.value == "true")
    return ModelVersion.model_id.in_(
        select(version.model_id).where(
            version.project_id == access.project.id, version.id.in_(marked)
        )
    )


def _only_models_or_prompts(
    where: Expression | None, compare: Leaf, is_prompt: Condition
) -> Condition:
    """The expression as a condition that finds prompts only, or none of them."""
    asked = [each for each in comparisons(where) if _is_about_prompts(each)]
    if asked and _wants_prompts(asked[0]):
        return _to_sql(where, compare)

    def compare_other(comparison: Comparison) -> Condition:
        return true() if _is_about_prompts(comparison) else compare(comparison)

    return and_(_to_sql(where, compare_other), ~is_prompt)


def _is_about_prompts(comparison: Comparison) -> bool:
    return comparison.entity == "tag" and comparison.key == PROMPT_TAG


def _wants_prompts(comparison: Comparison) -> bool:
    wanted = {"=": "true", "!=": "false"}.get(comparison.operator)
    return isinstance(comparison.value, str) and comparison.value.lower() == wanted


def _to_sql(where: Expression | None, compare: Leaf) -> Condition:
    if where is None:
        return true()
    if isinstance(where, Comparison):
        return compare(where)
    combine = and_ if isinstance(where, And) else or_
    return combine(*(_to_sql(operand, compare) for operand in where.operands))
