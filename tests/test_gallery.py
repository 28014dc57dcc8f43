"""The pictures in the documents are those that `make screenshots` takes."""

from __future__ import annotations

import re
from pathlib import Path

from gallery.shots import SHOTS

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "screenshots"
LIMIT = 260 * 1024


def test_each_picture_is_taken_once_and_none_is_left_over() -> None:
    names = [shot.name for shot in SHOTS]
    assert len(set(names)) == len(names)
    assert {path.name for path in PICTURES.iterdir()} == {f"{name}.png" for name in names}


def test_pictures_are_small_enough_for_a_document() -> None:
    assert [path.name for path in PICTURES.iterdir() if path.stat().st_size > LIMIT] == []


def test_documents_show_pictures_that_are_there() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", document.read_text()):
            assert (document.parent / link).is_file(), f"{document.name}: {link}"
