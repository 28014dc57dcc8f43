"""A policy file says what it says, and whatever else is in it is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitlab_mlops.services.gate import plain_yaml
from gitlab_mlops.services.gate.policy import KEYS, MAX_RULES, Policy, PolicyError, Rule, parse

DOCUMENT = Path(__file__).parents[2] / "docs" / "gate.md"
HEAD = "gate:\n  - metric: acc\n    better: higher\n"


def error(text: str) -> str:
    found = parse(text)
    assert isinstance(found, PolicyError)
    return found.sentence


def test_a_rule_with_everything() -> None:
    text = """
# What main demands.
gate:
  - experiment: digits
    metric: val_accuracy
    better: higher
    floor: 0.93
    largest_drop: 2%
    against: newest
    on_fail: warn
    missing: ignore
    without_baseline: fail
  - metric: loss
    better: lower
"""
    first = Rule(
        number=1,
        line=4,
        metric="val_accuracy",
        greater_is_better=True,
        experiment="digits",
        floor=0.93,
        largest_drop=2.0,
        drop_is_percent=True,
        against="newest",
        on_fail="warn",
        missing="ignore",
        without_baseline="fail",
    )
    assert parse(text) == Policy((first, Rule(2, 13, "loss", greater_is_better=False)))


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "gate: []"])
def test_a_file_without_rules_demands_nothing(text: str) -> None:
    assert parse(text) == Policy(())


@pytest.mark.parametrize(
    ("written", "expected"),
    [("0.5", 0.5), ("-1", -1.0), ("1e-3", 0.001), (".5", 0.5), ("'0.5'", 0.5), ("+2.5E+1", 25.0)],
)
def test_numbers_are_what_people_write(written: str, expected: float) -> None:
    found = parse(f"{HEAD}    floor: {written}")
    assert isinstance(found, Policy)
    assert found.rules[0].floor == expected


@pytest.mark.parametrize(
    "written",
    ["true", "yes", ".nan", "nan", ".inf", "inf", "1e999", "1_000", "0x10", "9" * 60, "٣", "high"],
)
def test_what_is_no_number_is_told(written: str) -> None:
    told = error(f"{HEAD}    floor: {written}")
    assert told.startswith(".mlops.yml, line 4: rule 1: “floor” must be a number, not “")


@pytest.mark.parametrize("written", ["-0.1", "-1%", "'%'", "nan%", "two", "1%%"])
def test_a_drop_is_an_amount(written: str) -> None:
    assert "“largest_drop” must be a number such as" in error(f"{HEAD}    largest_drop: {written}")


def test_a_name_that_looks_like_something_else_is_a_name() -> None:
    found = parse("gate: [{experiment: yes, metric: 5, better: lower}]")
    assert isinstance(found, Policy)
    assert (found.rules[0].experiment, found.rules[0].metric) == ("yes", "5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD}    fluor: 1", "line 4: rule 1: “fluor” is unknown; known are experiment"),
        (f"{HEAD}gates: []", "line 4: “gates” is unknown; there is only “gate”."),
        ("rules: []", "line 1: there is no “gate:”."),
        ("- a", "line 1: there is no “gate:”."),
        ("gate:", "line 1: “gate” must be a list of rules"),
        ("gate: {metric: a}", "line 1: “gate” must be a list of rules"),
        ("gate:\n  - accuracy", "line 2: rule 1: it must say “metric: …” and “better: …”."),
        ("gate:\n  - better: lower", "line 2: rule 1: it does not say “metric”."),
        ("gate:\n  - metric: a", "line 2: rule 1: it does not say “better”."),
        (f"{HEAD}  - metric: b\n    better: more", "line 5: rule 2: “better” must be higher or"),
        (f"{HEAD}    floor:", "line 4: rule 1: “floor” must have one value"),
        (f"{HEAD}    floor: [1]", "line 4: rule 1: “floor” must have one value"),
        (f"{HEAD}    on_fail: ignore", "line 4: rule 1: “on_fail” must be fail or warn, not"),
        (f"{HEAD}    missing: pass", "line 4: rule 1: “missing” must be fail or warn or ignore"),
        (f"{HEAD}    against: best", "line 4: rule 1: “against” does nothing without"),
        (f"{HEAD}    without_baseline: fail", "“without_baseline” does nothing without"),
        (f"{HEAD}    experiment: {'e' * 501}", "“experiment” must be a name of at most 500"),
        (f'{HEAD}    experiment: "a\\0b"', "“experiment” must be a name of at most 500"),
        (f"{HEAD}    metric: b", "line 4: it says “metric” twice in one place."),
        (f"{HEAD}    ? [a]\n    : b", "line 4: it has a key that is no word."),
        (f"gate: [{'{}, ' * MAX_RULES}{{}}]", f"there are more than {MAX_RULES} rules."),
    ],
)
def test_what_is_wrong_is_told_with_line_and_rule(text: str, expected: str) -> None:
    told = error(text)
    assert expected in told
    assert told.startswith(".mlops.yml, line ")
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gate: &a [*a]", "line 1: it refers to another place with & or *"),
        ("a: &a [x]\nb: &b [*a, *a]\ngate: []", "it refers to another place"),
        ("gate: !!python/object/apply:os.system [id]", "line 1: it names a type with !"),
        ("gate: !local []", "line 1: it names a type with !"),
        ("[" * 9 + "]" * 9, "line 1: it has too many levels"),
        ("[" * 60_000, "line 1: it"),
        ("gate:\n\t- a", "line 2: it is no YAML: found character"),
        ("gate: [\n", "it is no YAML"),
        ("a: 1\n---\nb: 2", "line 2: it is no YAML: but found another document"),
        ("gate: \x07", "a character that YAML does not allow"),
        ("gate: \ud800", "a character that YAML does not allow"),
        ("\x00", "a character that YAML does not allow"),
        ("#" * (64 * 1024 + 1), "it is longer than 64 KiB"),
    ],
)
def test_hostile_yaml_is_told_and_never_built(text: str, expected: str) -> None:
    assert expected in error(text)


def test_as_much_in_python_as_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    monkeypatch.setattr(plain_yaml, "_LOADER", yaml.BaseLoader)
    assert isinstance(parse(f"{HEAD}    floor: 0.5"), Policy)
    assert "too many levels" in error("[" * 9 + "]" * 9)
    assert "a character that YAML does not allow" in error("gate: \x07")


@pytest.mark.parametrize(
    "text",
    [
        'gate: "\\U00110000"',
        'gate: "\\Uffffffff"',
        f"%YAML {'1' * 5000}.1\n---\ngate: []",
        f'{HEAD}    experiment: "\\ud800"',
    ],
)
def test_what_only_the_parser_in_python_takes_is_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    monkeypatch.setattr(plain_yaml, "_LOADER", yaml.BaseLoader)
    assert error(text).startswith(".mlops.yml, line ")


def test_a_wrong_value_is_repeated_shortly_and_without_control_characters() -> None:
    told = error(f'{HEAD}    floor: "{"x" * 1000}"')
    assert len(told) < 150
    assert "\0" not in error(f'{HEAD}    floor: "\\0"')


def test_the_document_explains_every_key() -> None:
    text = DOCUMENT.read_text()
    for key in KEYS:
        assert f"| `{key}` |" in text


def test_the_examples_of_the_document_are_policies() -> None:
    text = DOCUMENT.read_text()
    examples = [each.partition("```")[0] for each in text.split("```yaml\n")[1:]]
    assert examples
    for example in examples:
        found = parse(example)
        assert isinstance(found, Policy)
        assert found.rules
