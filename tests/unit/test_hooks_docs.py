"""`docs/hooks.md` names every signal, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from blinker import Signal

from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Events

DOCUMENT = Path(__file__).parents[2] / "docs" / "hooks.md"
OURS = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
THEIRS = {field.name for field in fields(Events)}


def test_every_signal_is_in_a_table() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    assert rows == OURS | THEIRS


def test_every_event_of_the_forge_has_a_section() -> None:
    sections = set(re.findall(r"^### (\w+)$", DOCUMENT.read_text(), re.MULTILINE))
    assert sections == THEIRS


def test_every_signal_of_ours_has_a_contract_in_the_code() -> None:
    source = Path(signals.__file__).read_text()
    for name in OURS:
        assert re.search(rf'^{name} = Signal\(.*\)\n"""\w', source, re.MULTILINE), name
