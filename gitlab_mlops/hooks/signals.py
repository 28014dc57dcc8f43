"""What the plugin announces, as blinker signals. `docs/hooks.md` is their reference.

Each is sent with the Flask application as the sender, inside the transaction that makes the
change and before it is committed. A receiver may write rows through `session`, which then are
stored together with the change or not at all; it must not commit, and should not do what cannot
be undone, such as sending mail. What a receiver raises makes the change fail.

All of them carry `project: Project`, `iid: int` (the candidate is `[candidate:<iid>]` of the
project), `actor: Actor | None` (who did it) and `session: Session` (the project's). Receivers
should also take `**more`, because later versions may add to these.
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
        signal.send(
            _application(),
            project=access.project,
            iid=iid,
            actor=access.actor,
            session=access.session,
            **more,
        )
