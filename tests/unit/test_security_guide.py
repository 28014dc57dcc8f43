"""`docs/security.md` names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:tests|gitlab_mlops)/[\w/]+\.py)?(?:::(\w+))?`")


def promises() -> list[tuple[str, str]]:
    """(file, name of the test or nothing), in the order of the document."""
    found, file = [], ""
    for path, test in NAMED.findall((ROOT / "docs/security.md").read_text()):
        file = path or file
        if path or test:
            found.append((file, test))
    return found


def test_the_guide_names_many_tests() -> None:
    assert len(promises()) > 40


@pytest.mark.parametrize(("file", "test"), promises())
def test_a_test_that_the_guide_names_is_there(file: str, test: str) -> None:
    text = (ROOT / file).read_text()
    assert re.search(rf"def {test or 'test_'}", text), f"{file} has no {test}"
