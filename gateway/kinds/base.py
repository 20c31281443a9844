"""What a kind of resource must say of itself: one file per kind, see `_template.py`."""

from typing import Any, Protocol

from msgspec import Struct

from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Event


class KindRule(Protocol):
    """`Shape` is the payload (wire.Signals plus its own), `Value` what is known of one resource; `apply` turns the one
    into the other.
    """

    @property
    def Shape(self) -> type[Struct]: ...  # noqa: N802

    def Value(self, resource: Resource, /) -> Known: ...  # noqa: N802

    @property
    def WATCHED(self) -> bool:  # noqa: N802
        """Whether an alert may follow from its values themselves, not only from its axes or a battery."""
        ...

    def apply(self, known: Any, signals: Any, now: Millis, /) -> bool:
        """Take over what the message says. True when it carries the resource's value, not just a heartbeat."""
        ...

    def repeats(self, known: Any, signals: Any, /) -> bool:
        """Whether the message carries the resource's value and `apply` would leave all as it is, at any time: then
        nothing is judged anew. False is always right, and slower. A kind must say False that is WATCHED, that tells
        power, or that has somebody's entry seen.
        """
        ...

    def event(self, known: Any, event: Event, now: Millis, /) -> bool:
        """Take over what happened. True when it tells the resource's value."""
        ...

    def due(self, known: Any, now: Millis, /) -> Millis | None:
        """Let the kind's own timers fire; the next time to be called, None for no timer."""
        ...


def no_event(known: Known, event: Event, now: Millis) -> bool:  # noqa: ARG001
    """For kinds whose value no event tells."""
    return False


def never_repeats(known: Known, signals: Any) -> bool:  # noqa: ARG001
    """For kinds whose messages are all judged."""
    return False
