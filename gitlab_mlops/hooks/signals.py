"""What the plugin announces, as blinker signals. `docs/hooks.md` is their reference.

Each is sent with the Flask application as the sender, inside the transaction that makes the
change and before it is committed. A receiver may write rows through `session`, which then are
stored together with the change or not at all; it must not commit, and should not do what cannot
be undone, such as sending mail. What a receiver raises makes the change fail.

All of them carry `project: Project`, `actor: Actor | None` (who did it) and `session: Session` (the
project's); those of candidates also `iid: int` (the candidate is `[candidate:<iid>]` of the
project), those of models `name: str` (the model is `[model:<name>]`). Receivers should also take
`**more`, because later versions may add to these, and some carry what the plugin's own receivers
would look up otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from blinker import Signal
from sqlalchemy.orm import Session

from gitlab_mlops.host import Actor, Project

candidate_created = Signal("mlops: candidate created")
"""A client or a person started a candidate. Its first tags are stored, its metrics are not."""

candidate_finished = Signal("mlops: candidate finished")
"""A candidate was set to finished, failed or killed; again each time that this happens."""

candidate_mentioned = Signal("mlops: candidate mentioned")
"""A text mentions a candidate that it did not mention before: also `source: Source`, the merge
request or issue. `actor` wrote it and may see the candidate; others who see one of the two may
not see the other, so a receiver that tells them has to ask."""

candidate_trashed = Signal("mlops: candidate trashed")
"""A candidate moved to the trash; with its experiment, it goes there unannounced."""

candidate_restored = Signal("mlops: candidate restored")
"""A candidate came back from the trash."""

candidate_deleted = Signal("mlops: candidate deleted")
"""A candidate is deleted for ever, and its rows are still there. Not sent for the candidates of a
project that the forge deletes."""

model_version_created = Signal("mlops: model version created")
"""A registered model has a new version: `name: str` and `version: int`. Its tags are stored."""

model_alias_moved = Signal("mlops: model alias moved")
"""An alias of a registered model means another version: `name: str`, `alias: str`, and `old: int |
None` and `new: int | None`, None if it was made or deleted, also with its version or model."""


class Deed(Protocol):
    """What an access value says about who does something where."""

    @property
    def actor(self) -> Actor | None:
        """Who acts."""

    @property
    def project(self) -> Project:
        """In which project."""

    @property
    def session(self) -> Session:
        """In which transaction."""


_application: Callable[[], object] = lambda: None  # noqa: E731


def use_application(current: Callable[[], object]) -> None:
    """Say how to find the application that is at work, the sender of all signals.

    Services know no Flask, so the extension says it, once for all applications of the process.
    """
    global _application
    _application = current


def announce(signal: Signal, access: Deed, iid: int, **more: Any) -> None:
    """Send a signal about the candidate `iid` of the project; costs nothing if nobody listens."""
    if signal.receivers:
        _send(signal, access, iid=iid, **more)


def announce_model(signal: Signal, access: Deed, name: str, **more: Any) -> None:
    """As `announce`, about the registered model of this name."""
    if signal.receivers:
        _send(signal, access, name=name, **more)


def _send(signal: Signal, access: Deed, **facts: Any) -> None:
    about: dict[str, Any] = {
        "project": access.project,
        "actor": access.actor,
        "session": access.session,
    }
    signal.send(_application(), **about, **facts)
