"""The guide to references: what it says to write is a reference, of the kind that it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitlab_mlops.services.references.links import MAX_OCCURRENCES
from gitlab_mlops.services.references.resolver import MAX_PLACES, MAX_REFERENCES
from gitlab_mlops.services.references.syntax import Kind, references
from gitlab_mlops.services.suggestions import LOOKED_AT

GUIDE = (Path(__file__).parents[2] / "docs" / "references.md").read_text()
ROWS = re.findall(r"^\| `(\[\w+:.*?|https:.*?)` \| (.*) \|$", GUIDE, re.MULTILINE)


def test_every_kind_is_explained() -> None:
    shown = {each.kind for text, _ in ROWS for each in references(text, "https://forge.example/")}
    assert shown == set(Kind)


@pytest.mark.parametrize(("text", "meaning"), ROWS)
def test_what_to_write_is_one_reference(text: str, meaning: str) -> None:
    (found,) = references(text, "https://forge.example/")
    for number in re.findall(r"(?:candidate|experiment) (\d+)", meaning):
        assert found.iid == int(number)
    for number in re.findall(r"[Vv]ersion (\d+) of", meaning):
        assert found.version == int(number)
    assert bool(found.alias) == ("alias" in meaning)
    is_elsewhere = bool(found.place.path or found.place.page)
    assert is_elsewhere == ("another project" in meaning or text.startswith("https:"))


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (MAX_OCCURRENCES, MAX_REFERENCES, MAX_PLACES, LOOKED_AT):
        assert f"{limit:,}" in GUIDE
