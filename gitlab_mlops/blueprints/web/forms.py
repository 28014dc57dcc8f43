"""Fields of a form that people may fill in at the same time as somebody else.

A form carries, next to each value, a digest of what was stored when it was sent out. So a field
that nobody touched is never written, and one that two people changed is shown with both.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from flask import request

from gitlab_mlops.errors import Invalid

SEEN = "seen-"
"""Begins the name of the hidden field that carries a field's digest."""
CONFLICT = "Somebody else changed this meanwhile. Save again to keep yours."


@dataclass(slots=True)
class Field:
    """A field as typed. `seen` is the digest of what was stored when the form was sent out.

    `problem` says why it cannot be stored; `theirs` is what somebody else made of it meanwhile.
    """

    value: str
    seen: str
    problem: str = ""
    theirs: str | None = None

    @classmethod
    def of(cls, stored: str) -> Field:
        """The field as it is sent out first."""
        return cls(stored, digest(stored))

    @classmethod
    def sent(cls, name: str) -> Field:
        """The field as it came back; `Invalid` if it did not."""
        if SEEN + name not in request.form:
            raise Invalid("This form is not whole; open it again.")
        return cls(typed(name), request.form[SEEN + name])

    @property
    def is_changed(self) -> bool:
        """Whether somebody typed something else than what was there."""
        return digest(self.value) != self.seen

    def meet(self, stored: str) -> None:
        """Compare with what is stored now: take it if nobody typed anything, else show both."""
        now = digest(stored)
        if now == self.seen:
            return
        if not self.is_changed:
            self.value = stored
        elif digest(self.value) != now:
            self.theirs, self.problem = stored, CONFLICT
        self.seen = now


def typed(name: str) -> str:
    """A text of the form with plain line ends; `Invalid` for what no database stores."""
    return plain(request.form.get(name, ""))


def all_typed(name: str) -> list[str]:
    """The texts of a field that the form has several times."""
    return [plain(each) for each in request.form.getlist(name)]


def plain(text: str) -> str:
    """The text with plain line ends, which is how both a form and a digest have it."""
    if "\0" in text:
        raise Invalid("A NUL character cannot be stored; leave it out.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def digest(text: str) -> str:
    """Tells whether a text changed. Browsers change line ends, and they do not count."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return sha256(lines.encode()).hexdigest()[:32]
