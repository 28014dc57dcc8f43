"""The guide to the pages: its filters are filters, and its parts of addresses exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitlab_mlops.blueprints.web import compare, curve_settings, export_formats, overall_charts
from gitlab_mlops.blueprints.web.columns import ATTRIBUTES, parse_columns
from gitlab_mlops.wire.filters import parse_candidate_filter

GUIDE = (Path(__file__).parents[2] / "docs" / "pages.md").read_text()
SECTIONS = dict(part.partition("\n")[::2] for part in re.split(r"^##+ ", GUIDE, flags=re.MULTILINE))

FILTERS = SECTIONS["Filters"].split("```")[1].strip().splitlines()


def parts(section: str) -> set[str]:
    """What the first cells of a section's table of addresses name."""
    table = SECTIONS[section].partition("| part of the address |")[2]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("text", FILTERS)
def test_each_filter_can_be_read(text: str) -> None:
    assert parse_candidate_filter(text) is not None


def test_columns_are_called_as_the_guide_says() -> None:
    row = next(line for line in GUIDE.splitlines() if line.startswith("| `columns`"))
    names = re.findall(r"`([\w.]+)`", row)[1:]
    assert set(ATTRIBUTES) <= set(names)
    assert [each.text for each in parse_columns(names)] == names


def test_parts_of_addresses_exist() -> None:
    assert parts("Curves") <= set(curve_settings.PARTS)
    assert parts("Charts over candidates") <= set(overall_charts.PARTS)
    assert parts("Comparison") <= {*compare.PARTS, *compare.PLOT_PARTS}
    assert parts("Comparison")


def test_what_an_export_always_has_is_listed() -> None:
    listed = re.search(r"^(?:`\w+`,? ?)+$", SECTIONS["Export"], re.MULTILINE)
    assert listed
    assert tuple(re.findall(r"`(\w+)`", listed[0])) == export_formats.ATTRIBUTES
