"""What a check of `flask mlops doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is. Only FAILED makes the command fail."""

    OK = "ok"
    ABSENT = "--"
    WARNING = "warning"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, what to do."""

    level: Level
    subject: str
    text: str

    def line(self) -> str:
        """The line as the operator reads it."""
        return f"{self.level:8}{self.subject}: {self.text}"
