"""A detector: free while all is quiet, blocked while it warns, reserved while somebody tests it.

Nothing that is said beside a warning makes it a smaller one: it ends by `alarm: false` alone.
"""

from msgspec import UNSET, UnsetType

from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.known import Known
from gateway.model import Millis, Use
from gateway.wire import Signals

WATCHED = False
Value = Known
CLEAR, TESTED, ALARM = "clear", "tested", "alarm"
_USE: dict[str, Use] = {CLEAR: "free", TESTED: "reserved", ALARM: "blocked"}


class Shape(Signals, gc=False):
    """`test` counts for the message that says it: a warning without it is no test."""

    alarm: bool | UnsetType = UNSET
    test: bool | UnsetType = UNSET


def apply(known: Known, signals: Shape, now: Millis) -> bool:  # noqa: ARG001
    alarm, test = signals.alarm, signals.test
    if alarm is UNSET and test is not True:
        if test is False and known.status == TESTED:
            _say(known, CLEAR)
        return False
    if alarm is True and (test is not True or known.status == ALARM):
        _say(known, ALARM)
    elif test is True:
        if alarm is not UNSET or known.status != ALARM:
            _say(known, TESTED)
    else:
        _say(known, CLEAR)
    return True


def _say(known: Known, status: str) -> None:
    known.status, known.use = status, _USE[status]


repeats = never_repeats
event = no_event


def due(known: Known, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
