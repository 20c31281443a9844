"""Copy this file to `gateway/kinds/NAME.py` for a kind whose value needs a rule; config/kinds/NAME.py declares it.

`apply` is called with every fresh message and returns True when it carries the value; `due` lets its own timers fire
and returns the next time to be called; `event` takes over what happened; `repeats` may save judging what is known
already. See `KindRule` in base.py.
"""

from typing import Any

from msgspec import UNSET

from config.kinds import SPECS
from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.declared import shape_of
from gateway.kinds.known import Known
from gateway.model import Millis

WATCHED = False
Value = Known  # or a class below it, with a slot for each value that only this kind knows
Shape = shape_of(SPECS["seat"])


def apply(known: Known, signals: Any, now: Millis) -> bool:  # noqa: ARG001
    if signals.occupied is UNSET:
        return False
    known.use = "occupied" if signals.occupied else "free"
    return True


repeats = never_repeats
event = no_event


def due(known: Known, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
