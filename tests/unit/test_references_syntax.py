"""What counts as a reference in a plain text, and what only looks like one."""

from __future__ import annotations

import time

import pytest

from gitlab_mlops.services.references.syntax import Place, Reference, references

ROOT = "https://forge.example/"
URL = "https://forge.example/group/project/-/ml/candidates/42"


def places(text: str, root: str = ROOT) -> list[tuple[str, str, int]]:
    return [(r.place.path, r.place.page, r.iid) for r in references(text, root)]


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
        "[experiment:42]",
        "candidate:42",
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
        URL.replace("candidates", "experiments"),
        "https://forge.example/-/ml/candidates/42",
        "https://forge.example//group/-/ml/candidates/42",
    ],
)
def test_a_url_that_leads_elsewhere_names_none(text: str) -> None:
    assert places(text) == []


def test_urls_are_below_the_root_of_the_forge() -> None:
    root = "https://forge.example/devops/"
    inside = "https://forge.example/devops/group/project/-/ml/candidates/42"
    assert places(f"{inside} {URL}", root) == [("", "group/project", 42)]


def test_without_a_root_there_are_no_urls() -> None:
    assert places(f"{URL} [candidate:7]", root="") == [("", "", 7)]


def test_all_references_are_found_in_order() -> None:
    assert list(references(f"[candidate:1] {URL} [candidate:g/2]", ROOT)) == [
        Reference(Place(), 1),
        Reference(Place(page="group/project"), 42),
        Reference(Place(path="g"), 2),
    ]


@pytest.mark.parametrize(
    "part",
    ["[candidate:", "[candidate:a/", "a/", "https://forge.example/", "https://forge.example/a/-/"],
)
def test_hostile_text_is_scanned_in_linear_time(part: str) -> None:
    text = "[candidate:" + part * (1_000_000 // len(part))
    start = time.perf_counter()
    assert places(text) == []
    assert time.perf_counter() - start < 1
