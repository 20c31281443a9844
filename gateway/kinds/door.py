"""A door: free means that one can come in. A locked door opens by card, so `locked` alone does not block it."""

from msgspec import UNSET, UnsetType

from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Event, Signals

WATCHED = True


class Shape(Signals, gc=False):
    open: bool | UnsetType = UNSET
    locked: bool | UnsetType = UNSET


class Value(Known):
    """`seen_at`: when anybody was last at it. `entered_at`: when it was last opened or unlocked, so that one could come
    in. `reads_cards`: a card was held to it.
    """

    __slots__ = ("entered_at", "reads_cards", "seen_at")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.seen_at: Millis | None = None
        self.entered_at: Millis | None = None
        self.reads_cards = "reader" in resource.features


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    leaf, bolt = signals.open, signals.locked
    if leaf is UNSET and bolt is UNSET:
        return False
    known.use = "free"
    status = "open" if leaf is True else "locked" if bolt is True else "closed"
    if status != known.status:
        if known.status is not None and (status == "open" or known.status == "locked"):
            known.entered_at = now
        known.status, known.seen_at = status, now
    return True


def event(known: Value, event: Event, now: Millis) -> bool:
    """Somebody passes: a sign of life for what is behind, no news of the door itself."""
    if event.type == "card":
        known.reads_cards = True
        if event.granted is not False:
            known.seen_at = now
    return False


def due(known: Value, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
