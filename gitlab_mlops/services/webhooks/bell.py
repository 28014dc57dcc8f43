"""Wakes the threads of this process that send messages, when there is something to send."""

from __future__ import annotations

from threading import Condition

_condition = Condition()
_rings = 0


def ring() -> None:
    """Wake who waits; costs nothing if nobody does."""
    global _rings
    with _condition:
        _rings += 1
        _condition.notify_all()


def rings() -> int:
    """How often it rang so far."""
    return _rings


def wait(heard: int, seconds: float) -> None:
    """Wait until it rings again after `heard` times, or for so long."""
    with _condition:
        _condition.wait_for(lambda: _rings != heard, seconds)
