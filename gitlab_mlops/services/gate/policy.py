"""The policy file of a gate: what the target branch demands. `docs/gate.md` is its reference."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from gitlab_mlops.services.gate.plain_yaml import Tree

FILE = ".mlops.yml"
"""Where the policy is in a repository."""
MAX_RULES = 100
_LONGEST = {"metric": 250, "experiment": 500}
MAX_SHOWN = 50
"""Characters of a wrong value that a sentence repeats."""

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
# What databases do not take: NUL, and half a character, as "\\ud800" is to the parser in Python.
_NO_NAME = re.compile("[\0\ud800-\udfff]")
_CHOICES: dict[str, tuple[str, ...]] = {
    "better": ("higher", "lower"),
    "against": ("best", "newest"),
    "on_fail": ("fail", "warn"),
    "missing": ("fail", "warn", "ignore"),
    "without_baseline": ("fail", "warn", "ignore"),
}
_ABOUT_BASELINES = ("against", "without_baseline")
KEYS = ("experiment", "metric", "floor", "largest_drop", *_CHOICES)
"""What a rule may say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on one metric. `number` counts from 1; `line` is where it begins in the file.

    `experiment` None: of whatever experiment. `largest_drop` is a percentage of the baseline's
    value if `drop_is_percent`. `without_baseline` says what it means that there is nothing to
    compare with.
    """

    number: int
    line: int
    metric: str
    greater_is_better: bool
    experiment: str | None = None
    floor: float | None = None
    largest_drop: float | None = None
    drop_is_percent: bool = False
    against: Literal["best", "newest"] = "best"
    on_fail: Literal["fail", "warn"] = "fail"
    missing: Literal["fail", "warn", "ignore"] = "fail"
    without_baseline: Literal["fail", "warn", "ignore"] = "ignore"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a target branch demands; no rules demand nothing."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class PolicyError:
    """Why a policy file is none: one sentence, with the rule and the line where it is wrong."""

    sentence: str


class _Wrong(Exception):
    """What is wrong in which line, in words that make a sentence of it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def parse(text: str) -> Policy | PolicyError:
    """What a policy file says; whatever is in it, nothing is raised.

    An empty file has no rules. What is unknown, said twice, of a wrong type or without effect is
    an error: a gate that quietly ignores a misspelled floor is open.
    """
    # It loads the parser, which a worker needs only where there is a policy.
    from gitlab_mlops.services.gate import plain_yaml

    try:
        tree = plain_yaml.read(text)
        return Policy(() if tree is None else _rules(_gate(tree)))
    except (plain_yaml.NotPlain, _Wrong) as error:
        return PolicyError(f"{FILE}, line {error.line}: {error}.")


def _gate(tree: Tree) -> Tree:
    if not isinstance(tree.value, dict) or "gate" not in tree.value:
        raise _Wrong(tree.line, "there is no “gate:”")
    for key, value in tree.value.items():
        if key != "gate":
            raise _Wrong(value.line, f"“{_shown(key)}” is unknown; there is only “gate”")
    return tree.value["gate"]


def _rules(gate: Tree) -> tuple[Rule, ...]:
    if not isinstance(gate.value, list):
        raise _Wrong(gate.line, "“gate” must be a list of rules, each of which begins with “-”")
    if len(gate.value) > MAX_RULES:
        raise _Wrong(gate.line, f"there are more than {MAX_RULES} rules")
    return tuple(_rule(number, tree) for number, tree in enumerate(gate.value, 1))


def _rule(number: int, tree: Tree) -> Rule:
    try:
        said = {key: _text(key, value) for key, value in _said(tree).items()}
        return _made(number, tree.line, said)
    except _Wrong as error:
        raise _Wrong(error.line, f"rule {number}: {error}") from None


def _said(tree: Tree) -> dict[str, Tree]:
    """What a rule says, if it says what it must and nothing that it cannot."""
    if not isinstance(tree.value, dict):
        raise _Wrong(tree.line, "it must say “metric: …” and “better: …”")
    for key, value in tree.value.items():
        if key not in KEYS:
            raise _Wrong(value.line, f"“{_shown(key)}” is unknown; known are {', '.join(KEYS)}")
        if key in _ABOUT_BASELINES and "largest_drop" not in tree.value:
            raise _Wrong(value.line, f"“{key}” does nothing without “largest_drop”")
    for key in ("metric", "better"):
        if key not in tree.value:
            raise _Wrong(tree.line, f"it does not say “{key}”")
    return tree.value


def _made(number: int, line: int, said: dict[str, _Text]) -> Rule:
    values: dict[str, Any] = {key: said[key].name() for key in _LONGEST if key in said}
    values |= {key: said[key].choice() for key in _CHOICES if key in said}
    if "floor" in said:
        values["floor"] = said["floor"].number()
    if "largest_drop" in said:
        drop = said["largest_drop"]
        values["largest_drop"], values["drop_is_percent"] = drop.amount()
    is_higher = values.pop("better") == "higher"
    return Rule(number, line, greater_is_better=is_higher, **values)


def _text(key: str, tree: Tree) -> _Text:
    if not isinstance(tree.value, str) or not tree.value.strip():
        raise _Wrong(tree.line, f"“{key}” must have one value behind the colon")
    return _Text(key, tree.value.strip(), tree.line)


@dataclass(frozen=True, slots=True)
class _Text:
    """What stands behind a key."""

    key: str
    value: str
    line: int

    def name(self) -> str:
        """The name of a metric or an experiment, which a database can be asked for."""
        longest = _LONGEST[self.key]
        if len(self.value) > longest or _NO_NAME.search(self.value):
            raise self._wrong(f"a name of at most {longest} characters")
        return self.value

    def choice(self) -> str:
        """One of the words that are allowed."""
        if self.value not in _CHOICES[self.key]:
            raise self._wrong(" or ".join(_CHOICES[self.key]))
        return self.value

    def number(self) -> float:
        """A number that is not infinite."""
        if (found := _number(self.value)) is None:
            raise self._wrong("a number")
        return found

    def amount(self) -> tuple[float, bool]:
        """A number that is not negative, and whether it is one of percent."""
        is_percent = self.value.endswith("%")
        found = _number(self.value.removesuffix("%").rstrip())
        if found is None or found < 0:
            raise self._wrong("a number such as 0.01, or a percentage such as 2%")
        return found, is_percent

    def _wrong(self, wanted: str) -> _Wrong:
        return _Wrong(self.line, f"“{self.key}” must be {wanted}, not “{_shown(self.value)}”")


def _number(text: str) -> float | None:
    found = float(text) if len(text) <= MAX_SHOWN and _NUMBER.fullmatch(text) else math.nan
    return found if math.isfinite(found) else None


def _shown(text: str) -> str:
    """A wrong value, as it can be repeated in a sentence."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
