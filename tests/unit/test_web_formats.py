"""How values are written on pages."""

from __future__ import annotations

import math

import pytest

from gitlab_mlops.blueprints.web import formats


@pytest.mark.parametrize(
    ("value", "shown", "exact"),
    [
        (0.91234567, "0.912346", "0.91234567"),
        (12.0, "12", "12"),
        (-0.0, "0", "0"),
        (1e-9, "1e-09", "1e-09"),
        (123456.789, "123457", "123456.789"),
        (2.0**53, "9007199254740992", "9007199254740992"),
        (1e300, "1e+300", "1e+300"),
        (math.nan, "NaN", "NaN"),
        (math.inf, "Infinity", "Infinity"),
        (-math.inf, "-Infinity", "-Infinity"),
    ],
)
def test_a_metric_has_six_digits_and_an_exact_value(value: float, shown: str, exact: str) -> None:
    assert formats.number(value) == shown
    assert formats.exact(value) == exact


@pytest.mark.parametrize("text", ["1", "-0.5", "1e-3", "nan", "Infinity"])
def test_a_parameter_can_be_a_number(text: str) -> None:
    assert formats.is_number(text)


@pytest.mark.parametrize("text", ["", "adam", "1_000", "٣", "1,5", "0x10"])
def test_a_parameter_can_be_a_text(text: str) -> None:
    assert not formats.is_number(text)


def test_a_moment_is_for_machines_and_for_people() -> None:
    moment = formats.moment(1_700_000_000_123, now=1_700_000_060_123)
    assert moment.iso == "2023-11-14T22:13:20.123Z"
    assert moment.text == "2023-11-14 22:13 UTC"
    assert moment.age == "1 minute ago"


@pytest.mark.parametrize("milliseconds", [2**63 - 1, -(2**63), 10**15])
def test_a_moment_beyond_the_calendar_is_a_number(milliseconds: int) -> None:
    assert formats.moment(milliseconds, now=0) == formats.Moment("", f"{milliseconds} ms", "")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "just now"),
        (59_999, "just now"),
        (60_000, "1 minute ago"),
        (7_200_000, "2 hours ago"),
        (86_400_000 * 45, "1 month ago"),
        (86_400_000 * 800, "2 years ago"),
        (-3_600_000, "in 1 hour"),
    ],
)
def test_an_age_is_in_its_largest_unit(milliseconds: int, words: str) -> None:
    assert formats.age(milliseconds) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (-1, ""),
        (0, "0 ms"),
        (999, "999 ms"),
        (1500, "1.5 s"),
        (61_000, "1 min 1 s"),
        (3_661_000, "1 h 1 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_a_duration_is_in_its_two_largest_units(milliseconds: int, words: str) -> None:
    assert formats.duration(milliseconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024 * 1010, "1.0 MiB"),
        (250 * 1024**2, "250 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (5000 * 1024**4, "5,000 TiB"),
    ],
)
def test_a_size_is_in_units_of_1024(count: int, words: str) -> None:
    assert formats.size(count) == words
