"""What counts as a reference in a plain text, and what only looks like one."""

from __future__ import annotations

import time

import pytest

from gitlab_mlops.services.references.syntax import Kind, Place, Reference, references

ROOT = "https://forge.example/"
URL = "https://forge.example/group/project/-/ml/candidates/42"


EXPERIMENT = URL.replace("candidates/42", "experiments/7")
MODEL = URL.replace("candidates/42", "models/churn")


def places(text: str, root: str = ROOT) -> list[tuple[str, str, int]]:
    """Candidates, as (path, page, iid)."""
    found = list(references(text, root))
    assert all(each.kind is Kind.CANDIDATE for each in found)
    return [(r.place.path, r.place.page, r.iid) for r in found]


def models(text: str) -> list[tuple[str, str, int, str]]:
    """Models, as (path or page, name, version, alias)."""
    found = list(references(text, ROOT))
    assert all(each.kind is Kind.MODEL for each in found)
    return [(r.place.path or r.place.page, r.name, r.version, r.alias) for r in found]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[candidate:42]", ""),
        ("see[candidate:42].", ""),
        ("[[candidate:42]]", ""),
        ("[candidate:project/42]", "project"),
        ("[candidate:group/project/42]", "group/project"),
        ("[candidate:a/b/c/d-e_f.g/42]", "a/b/c/d-e_f.g"),
        ("[candidate:~user/c++/42]", "~user/c++"),
        ("[candidate:7/42]", "7"),
    ],
)
def test_brackets_name_a_candidate(text: str, path: str) -> None:
    assert places(text) == [(path, "", 42)]


@pytest.mark.parametrize(
    "text",
    [
        "[candidate:]",
        "[candidate:x]",
        "[candidate:0]",
        "[candidate:042]",
        "[candidate:1234567890]",
        "[candidate:-1]",
        "[candidate: 42]",
        "[candidate:/42]",
        "[candidate:group//42]",
        "[candidate:-group/42]",
        "[candidate:group/project/]",
        "[candidate:grüppe/42]",
        "[candidate:٤٢]",
        "[Candidate:42]",
        "[experiment:042]",
        "[experiment:x]",
        "[experiment:]",
        "[experiment:g//7]",
        "[experiments:7]",
        "[Experiment:7]",
        "[run:42]",
        "candidate:42",
        "experiment:7",
        "[candidate:42",
        "[candidate\n:42]",
    ],
)
def test_what_only_looks_like_a_reference_is_none(text: str) -> None:
    assert places(text) == []


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"see {URL}.",
        f"({URL})",
        f"<{URL}>",
        f"{URL},",
        f"is it {URL}?",
        f"见{URL}号",
        URL.replace("https", "http"),
        URL.replace("forge.example", "Forge.Example"),
    ],
)
def test_a_full_url_names_a_candidate(text: str) -> None:
    assert places(text) == [("", "group/project", 42)]


@pytest.mark.parametrize(
    "text",
    [
        f"{URL}0000000000",
        f"{URL}/artifacts",
        f"{URL}#metrics",
        f"{URL}?tab=metrics",
        f"{URL}.json",
        f"{URL}-x",
        f"x{URL}",
        f"https://elsewhere.example/?next={URL}",
        URL.replace("forge.example", "forge.example:8000"),
        URL.replace("forge.example", "elsewhere.example"),
        URL.replace("forge.example", "forge.example.evil"),
        URL.replace("forge.example", "forge-example"),
        URL.replace("candidates", "runs"),
        f"{EXPERIMENT}/charts",
        f"{EXPERIMENT}?view=deleted",
        EXPERIMENT.replace("7", "07"),
        f"{MODEL}/",
        f"{MODEL}/versions",
        f"{MODEL}/versions/x",
        f"{MODEL}/versions/0",
        f"{MODEL}/versions/3/edit",
        f"{MODEL}?page=2",
        "https://forge.example/-/ml/candidates/42",
        "https://forge.example//group/-/ml/candidates/42",
    ],
)
def test_a_url_that_leads_elsewhere_names_none(text: str) -> None:
    assert places(text) == []


@pytest.mark.parametrize(
    ("text", "place", "iid"),
    [
        ("[experiment:7]", Place(), 7),
        ("[experiment:0]", Place(), 0),
        ("see [experiment:group/project/7].", Place(path="group/project"), 7),
        (f"{EXPERIMENT}.", Place(page="group/project"), 7),
        (EXPERIMENT.replace("7", "0"), Place(page="group/project"), 0),
    ],
)
def test_experiments_are_named_by_number_and_url(text: str, place: Place, iid: int) -> None:
    assert list(references(text, ROOT)) == [Reference(place, Kind.EXPERIMENT, iid)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[model:churn]", ("", "churn", 0, "")),
        ("[model:churn/3]", ("", "churn", 3, "")),
        ("[model:churn@champion]", ("", "churn", 0, "champion")),
        ("[model:project/churn]", ("project", "churn", 0, "")),
        ("[model:group/project/churn/3]", ("group/project", "churn", 3, "")),
        ("[model:group/project/churn@best-1]", ("group/project", "churn", 0, "best-1")),
        ("[model:Iris classifier v2.1]", ("", "Iris classifier v2.1", 0, "")),
        ("[model:größe/12]", ("", "größe", 12, "")),
        ("[model:3]", ("", "3", 0, "")),
        ("[model:7/3]", ("", "7", 3, "")),
        ("[model:group/7/3]", ("group", "7", 3, "")),
        ("[model:a.b-c_d+e~f]", ("", "a.b-c_d+e~f", 0, "")),
    ],
)
def test_a_number_after_a_slash_is_the_version_of_a_model(
    text: str, named: tuple[str, str, int, str]
) -> None:
    assert models(text) == [named]


@pytest.mark.parametrize(
    ("end", "named"),
    [
        ("", ("group/project", "churn", 0, "")),
        (".", ("group/project", "churn", 0, "")),
        ("/versions/3", ("group/project", "churn", 3, "")),
        ("/versions/3.", ("group/project", "churn", 3, "")),
        (".v2/versions/3?", ("group/project", "churn.v2", 3, "")),
        ("%20for%20f%C3%BCr", ("group/project", "churn for für", 0, "")),
    ],
)
def test_a_full_url_names_a_model(end: str, named: tuple[str, str, int, str]) -> None:
    assert models(f"{MODEL}{end}") == [named]


@pytest.mark.parametrize(
    "text",
    [
        "[model:]",
        "[model: churn]",
        "[model:churn ]",
        "[model:a  b]",
        "[model:a\nb]",
        "[model:churn/]",
        "[model:churn/3/]",
        "[model:churn/0]",
        "[model:churn/1234567890]",
        "[model:churn@]",
        "[model:churn@a b]",
        "[model:churn@a/3]",
        "[model:churn/3 ]",
        "[model:/churn]",
        "[model:a//churn]",
        "[model:a:b]",
        "[model:a&amp;b]",
        "[model:a'b]",
        "[model:a\0b]",
        "[Model:churn]",
        "model:churn",
    ],
)
def test_what_only_looks_like_a_model_is_none(text: str) -> None:
    assert models(text) == []


def test_urls_are_below_the_root_of_the_forge() -> None:
    root = "https://forge.example/devops/"
    inside = "https://forge.example/devops/group/project/-/ml/candidates/42"
    assert places(f"{inside} {URL}", root) == [("", "group/project", 42)]


def test_without_a_root_there_are_no_urls() -> None:
    assert places(f"{URL} [candidate:7]", root="") == [("", "", 7)]


def test_all_references_are_found_in_order() -> None:
    assert list(references(f"[candidate:1] {URL} [candidate:g/2]", ROOT)) == [
        Reference(Place(), Kind.CANDIDATE, 1),
        Reference(Place(page="group/project"), Kind.CANDIDATE, 42),
        Reference(Place(path="g"), Kind.CANDIDATE, 2),
    ]


@pytest.mark.parametrize(
    "part",
    [
        *("[candidate:", "[candidate:a/", "a/", "[experiment:a/", "[model:", "[model:a/"),
        *(
            "[model:a ",
            "[model:a@",
            "a ",
            "a",
            " ",
            "a/3/",
            "1",
            "1/",
            "@",
            "https://forge.example/",
        ),
        *("https://forge.example/a/-/", f"{MODEL}/versions/", f"{MODEL}.", "a.", "%"),
    ],
)
@pytest.mark.parametrize("start", ["[candidate:", "[experiment:", "[model:", f"{MODEL}%"])
def test_hostile_text_is_scanned_in_linear_time(start: str, part: str) -> None:
    text = start + part * (1_000_000 // len(part))
    begin = time.perf_counter()
    assert len(list(references(text, ROOT))) <= text.count("models")
    assert time.perf_counter() - begin < 3
