"""Registered models and versions, searched: filters, orders, pages, prompts apart."""

from __future__ import annotations

from collections.abc import Sequence

from .call import Call, get, make_run, post, scenario
from .calls_registry import CHURN, MODELS, PROMPT, VERSIONS, change, make_model, make_version

MINE = "name LIKE '{unique}%'"
IS_PROMPT = "tags.`mlflow.prompt.is_prompt`"


def find(name: str, filter_: str = MINE, **more: str | Sequence[str]) -> Call:
    return get(f"models: find {name}", f"{MODELS}/search", {"filter": filter_, **more})


def find_mine(name: str, clause: str) -> Call:
    return find(name, f"{MINE} AND {clause}")


def find_versions(name: str, filter_: str = MINE, **more: str | Sequence[str]) -> Call:
    return get(f"versions: find {name}", f"{VERSIONS}/search", {"filter": filter_, **more})


def find_my_versions(name: str, clause: str, **more: str | Sequence[str]) -> Call:
    return find_versions(name, f"{MINE} AND {clause}", **more)


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"key": key.replace("__", " "), "value": value} for key, value in pairs.items()]


FILLED = (
    make_run("found", experiment_id="0"),
    make_run("found", "other", experiment_id="0"),
    make_model("found", tags=tags(team="Sales", n="1")),
    make_model("found", "{unique} Loyalty", tags=tags(team="sales", other__key="x'y")),
    make_model("found", "{unique} greet", tags=PROMPT),
    make_version("found", "one", "runs:/{run}/model", "{run}", tags=tags(checked="Yes")),
    make_version("found", "two", "runs:/{other}/a", "{other}", tags=tags(checked="no", n="1")),
    make_version("found", "three", f"models:/{CHURN}/1"),
    make_version("found", "loyalty", "runs:/{run}/b", "{run}", name="{unique} Loyalty"),
    make_version("found", "greet", "dummy-source", name="{unique} greet", tags=PROMPT),
    change("PATCH", "found: two is changed", f"{VERSIONS}/update", {"name": CHURN, "version": "2"}),
)

FOUND_MODELS = scenario(
    "registered models are found",
    FILLED,
    find("all of mine"),
    find("by name", f"name = '{CHURN}'"),
    find("by attribute.name", f"attribute.name = '{CHURN}'"),
    find("by attributes.name", f"attributes.name = '{CHURN}'"),
    find("by other name", f"{MINE} AND name != '{CHURN}'"),
    find("by name in a list", f"name IN ('{CHURN}', 'x')"),
    find("by name not in a list", f"{MINE} AND name NOT IN ('{CHURN}', 'x')"),
    find("LIKE minds the case", "name LIKE '{unique} l%'"),
    find("ILIKE does not", "name ILIKE '{unique} l%'"),
    find("like in small letters", "name like '{unique} L%'"),
    find_mine("by tag", "tags.team = 'sales'"),
    find_mine("by tag.", "tag.team = 'Sales'"),
    find_mine("by tag ILIKE", "tags.team ILIKE 'SAL%'"),
    find_mine("by tag LIKE", "tags.team LIKE 'Sal%'"),
    find_mine("by other tag", "tags.team != 'sales'"),
    find_mine("by two tags", "tags.team = 'Sales' AND tags.n = '1'"),
    find_mine("by one tag twice", "tags.team ILIKE 's%' AND tags.team != 'sales'"),
    find_mine("by a key in backticks", "tags.`other key` LIKE 'x%'"),
    find_mine("by a tag that nobody has", "tags.nothing = 'x'"),
    find_mine("by a tag in a list", "tags.team IN ('sales')"),
    find_mine("tag IS NULL", "tags.team IS NULL"),
    find_mine("tag greater", "tags.team > 'a'"),
    find_mine("name greater", "name > 'a'"),
    find_mine("name without quotes", "name = a"),
    find_mine("by a number", "name = 5"),
    find_mine("by time", "last_updated_timestamp > 5"),
    find_mine("by a metric", "metrics.m > 1"),
    find_mine("by a key that is not there", "size = '1'"),
    find("OR", f"name = '{CHURN}' OR name = 'x'"),
    find("parentheses", f"(name = '{CHURN}')"),
    find("half a clause", "name ="),
    find("only a name", "name"),
    find("an open quote", "name = 'a"),
    find_mine("no prompts", f"{IS_PROMPT} != 'true'"),
    find_mine("no prompts, otherwise", f"{IS_PROMPT} = 'false'"),
    find_mine("prompts", f"{IS_PROMPT} = 'true'"),
    find_mine("prompts, otherwise", f"{IS_PROMPT} != 'false'"),
    find_mine("prompts by LIKE", f"{IS_PROMPT} LIKE 'tru%'"),
    find_mine("prompts and no prompts", f"{IS_PROMPT} = 'true' AND {IS_PROMPT} != 'true'"),
    find("as MLflow asks", f"name = '{CHURN}' AND tag.`mlflow.prompt.is_prompt` != 'true'"),
    find("by name, down", order_by=["name DESC"]),
    find("by name and time", order_by=["name ASC", "last_updated_timestamp DESC"]),
    find("by time", order_by=["last_updated_timestamp"]),
    find("by timestamp, down", order_by=["timestamp DESC"]),
    find("by creation", order_by=["creation_timestamp"]),
    find("by a tag's order", order_by=["tags.team"]),
    find("by name twice", order_by=["name", "name DESC"]),
    find("sideways", order_by=["name SIDEWAYS"]),
    find("a page of one", max_results="1"),
    get(
        "models: find a page to go on from",
        f"{MODELS}/search",
        {"filter": MINE, "max_results": "1"},
        save={"token": "next_page_token"},
    ),
    find("the last page", max_results="1", page_token="{token}"),
    find("a page that is just full", max_results="2"),
    find("1000 wanted", max_results="1000"),
    find("1001 wanted", max_results="1001"),
    find("none wanted", max_results="0"),
    find("less than none wanted", max_results="-1"),
    find("some wanted", max_results="some"),
    find("a token of garbage", page_token="garbage"),
)

FOUND_VERSIONS = scenario(
    "versions are found",
    FILLED,
    find_versions("all of mine"),
    find_versions("by model", f"name = '{CHURN}'"),
    find_versions("by models", f"name IN ('{CHURN}', '{{unique}} Loyalty')"),
    find_versions("by other model", f"{MINE} AND name != '{CHURN}'"),
    find_versions("by run", "run_id = '{run}'"),
    find_versions("by runs", "run_id IN ('{run}', '{other}')"),
    find_versions("by run LIKE", f"{MINE} AND run_id LIKE '%x%'"),
    find_my_versions("by other run", "run_id != '{run}'"),
    find_my_versions("by source", "source_path = 'runs:/{run}/model'"),
    find_my_versions("by source LIKE", "source_path LIKE 'models:%'"),
    find_my_versions("by source in a list", "source_path IN ('runs:/{run}/model')"),
    find_my_versions("by number", "version_number = 1"),
    find_my_versions("by number in quotes", "version_number = '1'"),
    find_my_versions("by number above", "version_number > 1"),
    find_my_versions("by number below", "version_number <= '2'"),
    find_my_versions("by other number", "version_number != 1"),
    find_my_versions("by half a number", "version_number = 1.5"),
    find_my_versions("by a word for a number", "version_number = 'one'"),
    find_my_versions("by number LIKE", "version_number LIKE '1'"),
    find_my_versions("by numbers in a list", "version_number IN (1, 2)"),
    find_my_versions("by tag", "tags.checked = 'Yes'"),
    find_my_versions("by tag ILIKE", "tags.checked ILIKE 'y%'"),
    find_my_versions("by other tag", "tags.checked != 'Yes'"),
    find_my_versions("by two tags", "tags.checked = 'no' AND tag.n = '1'"),
    find_my_versions("by tag in a list", "tags.checked IN ('Yes')"),
    find_my_versions("by stage", "current_stage = 'None'"),
    find_my_versions("by a key that is not there", "size = '1'"),
    find_versions("half a clause", "name ="),
    find_my_versions("no prompts", f"{IS_PROMPT} != 'true'"),
    find_my_versions("prompts", f"{IS_PROMPT} = 'true'"),
    find_versions("in order of numbers", order_by=["version_number ASC", "name"]),
    find_versions("in order of names", order_by=["name DESC"]),
    find_versions("in order of creation", order_by=["creation_timestamp ASC"]),
    find_versions("in order of change", order_by=["last_updated_timestamp DESC"]),
    find_versions("in order of runs", order_by=["run_id"]),
    find_versions("in order of one key twice", order_by=["name", "name DESC"]),
    find_versions("a page of two", max_results="2", order_by=["name", "version_number"]),
    get(
        "versions: find a page to go on from",
        f"{VERSIONS}/search",
        {"filter": MINE, "max_results": "3", "order_by": ["name", "version_number"]},
        save={"token": "next_page_token"},
    ),
    find_versions(
        "the last page",
        max_results="3",
        order_by=["name", "version_number"],
        page_token="{token}",
    ),
    find_versions("a page that is just full", max_results="4"),
    find_versions("200000 wanted", max_results="200000"),
    find_versions("200001 wanted", max_results="200001"),
    find_versions("none wanted", max_results="0"),
    find_versions("a token of garbage", page_token="garbage"),
    post("versions: find by POST", f"{VERSIONS}/search", {"filter": MINE}),
)

SCENARIOS = (FOUND_MODELS, FOUND_VERSIONS)
