"""Experiments: searching, with filter, order and pages."""

from __future__ import annotations

from .call import Call, get, post, scenario

MINE = "name LIKE '{unique}%'"


def find(name: str, filter_: str = MINE, **more: object) -> Call:
    body = {"filter": filter_, "max_results": 20, **more}
    return post(f"experiments: {name}", "experiments/search", body)


def find_mine(name: str, clause: str, **more: object) -> Call:
    return find(name, f"{MINE} AND {clause}", **more)


def made(letter: str, *tags: tuple[str, str]) -> Call:
    return post(
        f"experiments: {letter} to find",
        "experiments/create",
        {"name": "{unique} " + letter, "tags": [{"key": k, "value": v} for k, v in tags]},
        save={letter.lower(): "experiment_id"},
    )


MADE = (
    made("a", ("team", "Vision"), ("n", "1")),
    made("B", ("team", "vision")),
    made("c", ("other key", "x'y")),
    made("gone"),
    post("experiments: one is gone", "experiments/delete", {"experiment_id": "{gone}"}),
)

PAGES = scenario(
    "pages of experiments",
    MADE,
    find("the newest is first"),
    find("a page of two", max_results=2, order_by=["name"]),
    post(
        "experiments: a page to go on from",
        "experiments/search",
        {"filter": MINE, "max_results": 2, "order_by": ["name"]},
        save={"token": "next_page_token"},
    ),
    find("the last page", max_results=2, order_by=["name"], page_token="{token}"),
    find("a page that is just full", max_results=3),
    find("results as a string", max_results="2", order_by=["name"]),
    find("no results wanted", max_results=0),
    find("less than none wanted", max_results=-1),
    find("50000 wanted", max_results=50000),
    find("50001 wanted", max_results=50001),
    find("some wanted", max_results="some"),
    find("half of one wanted", max_results=1.5),
    post("experiments: how many is not said", "experiments/search", {"filter": MINE}),
    post("experiments: nothing is said", "experiments/search", {}),
    find("a page token of garbage", page_token="garbage"),
    find("a page token that is no JSON", page_token="bm8="),
    find("an empty page token", page_token=""),
    find("only deleted", view_type="DELETED_ONLY"),
    find("all", view_type="ALL", order_by=["name"]),
    find("active as a number", view_type=1, order_by=["name"]),
    find("a view that is not there", view_type="EVERYTHING"),
    find("a view in small letters", view_type="all"),
    get(
        "experiments: searched by GET",
        "experiments/search",
        {"filter": MINE, "max_results": "20", "order_by": ["name DESC"], "view_type": "ALL"},
    ),
    get(
        "experiments: GET with an unknown parameter",
        "experiments/search",
        {"filter": MINE, "max_results": "1", "order_by": "name", "what": "x"},
    ),
    get("experiments: GET without parameters", "experiments/search"),
)

ORDER = scenario(
    "order of experiments",
    MADE,
    find("by name", order_by=["name"]),
    find("by name, down", order_by=["name DESC"]),
    find("by name, small letters", order_by=["name desc"]),
    find("by id", order_by=["experiment_id ASC"]),
    find("by time", order_by=["creation_time ASC"]),
    find("by last update", order_by=["last_update_time DESC"]),
    find("by attribute.name", order_by=["attribute.name ASC"]),
    find("by quoted name", order_by=["`name` ASC"]),
    find("by two", order_by=["creation_time ASC", "name DESC"]),
    find("by name twice", order_by=["name ASC", "name DESC"]),
    find("by a key that is not there", order_by=["size"]),
    find("by a tag", order_by=["tags.team"]),
    find("sideways", order_by=["name SIDEWAYS"]),
    find("by nothing", order_by=[""]),
    find("by an injection", order_by=["name; DROP TABLE experiments"]),
    find("by no list", order_by="name"),
)

FILTER = scenario(
    "filters of experiments",
    MADE,
    find("by equal name", "name = '{unique} a'"),
    find("by attribute.name", "attribute.name = '{unique} a'"),
    find("by attributes.name", "attributes.name = '{unique} a'"),
    find("by other name", f"name != '{{unique}} a' AND {MINE}", order_by=["name"]),
    find("LIKE minds the case", "name LIKE '{unique} b'"),
    find("ILIKE does not", "name ILIKE '{unique} b'"),
    find("like in small letters", "name like '{unique} B'"),
    find("LIKE with one character", "name LIKE '{unique} _'", order_by=["name"]),
    find_mine("by tag", "tags.team = 'vision'"),
    find_mine("by tag.", "tag.team = 'vision'"),
    find_mine("by tag ILIKE", "tags.team ILIKE 'VIS%'", order_by=["name"]),
    find_mine("by other tag", "tags.team != 'vision'"),
    find_mine("by a key in backticks", "tags.`other key` LIKE 'x%'"),
    find_mine("by a key in quotes", 'tags."other key" LIKE "x%"'),
    find_mine("tag IS NULL", "tags.team IS NULL"),
    find_mine("tag IS NOT NULL", "tags.team IS NOT NULL", order_by=["name"]),
    find_mine("name IS NULL", "name IS NULL"),
    find_mine("by id", "experiment_id = '{a}'"),
    find_mine("by several ids", "experiment_id IN ('{a}', '{c}')", order_by=["name"]),
    find_mine("by other ids", "experiment_id NOT IN ('{a}', '{c}')"),
    find_mine("by id that is no number", "experiment_id = 'x'"),
    find_mine("by id without quotes", "experiment_id = 1"),
    find_mine("ids compared", "experiment_id > '1'"),
    find_mine("by creation", "creation_time > 1000", order_by=["name"]),
    find_mine("by creation in future", "creation_time > 99999999999999"),
    find_mine("by last update", "last_update_time <= 1000"),
    find_mine("by creation in quotes", "creation_time > '1000'"),
    find_mine("by half a millisecond", "creation_time > 1000.5"),
    find_mine("creation LIKE", "creation_time LIKE '1%'"),
    find_mine("name greater", "name > 'a'"),
    find_mine("name in a list", "name IN ('{unique} a')"),
    find_mine("name without quotes", "name = a"),
    find_mine("by a metric", "metrics.m > 1"),
    find_mine("by a key that is not there", "size = '1'"),
    find("OR", "name = '{unique} a' OR name = '{unique} B'"),
    find("parentheses", "(name = '{unique} a')"),
    find("NOT", "NOT name = '{unique} a'"),
    find("half a clause", "name ="),
    find("only a name", "name"),
    find("two statements", "name = 'a'; name = 'b'"),
    find("an open quote", "name = 'a"),
    find("blanks", "   "),
    find("a number as filter", 5),  # type: ignore[arg-type]
)

SCENARIOS = (PAGES, ORDER, FILTER)
