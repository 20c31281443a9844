"""A door: free means that one can come in. A locked door opens by card, so `locked` alone does not block it."""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts
from gateway.model import Millis
from gateway.wire import Signals


class Shape(Signals, gc=False):
    open: bool | UnsetType = UNSET
    locked: bool | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:  # noqa: ARG001
    leaf, bolt = signals.open, signals.locked
    if leaf is UNSET and bolt is UNSET:
        return False
    facts.use = "free"
    facts.status = "open" if leaf is True else "locked" if bolt is True else "closed"
    return True


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
