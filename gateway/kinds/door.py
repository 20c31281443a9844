"""A door: free means that one can come in. A locked door opens by card, so `locked` alone does not block it."""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts
from gateway.model import Millis
from gateway.wire import Event, Signals

WATCHED = True


class Shape(Signals, gc=False):
    open: bool | UnsetType = UNSET
    locked: bool | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:
    leaf, bolt = signals.open, signals.locked
    if leaf is UNSET and bolt is UNSET:
        return False
    facts.use = "free"
    status = "open" if leaf is True else "locked" if bolt is True else "closed"
    if status != facts.status:
        facts.status, facts.seen_at = status, now
    return True


def event(facts: Facts, event: Event, now: Millis) -> bool:
    """Somebody passes: a sign of life for what is behind, no news of the door itself."""
    if event.type == "card" and event.granted is not False:
        facts.seen_at = now
    return False


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
