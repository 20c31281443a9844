"""What the store's core file is asked to keep, as data. `apply` does it; `Store.write` does several or none of them.

Each may be done again: ids follow from what happened, so a crash before the cursor moved only repeats work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.alerts.orders import OrderEvent
from gateway.alerts.words import AlertEvent, Delivery
from gateway.base.local_time import DAY_MS
from gateway.evidence.checks import StoredCheck
from gateway.model import ActivityEnded, Millis, OpeningChange

OPENINGS_KEPT_MS = 731 * DAY_MS
"""How long it stays known whether a station kept its promise to be open, and what was held there: two years, so that
one has one to compare."""
REPORTS_KEPT_MS = 731 * DAY_MS
"""How long what people said of checks is kept: two years."""


@dataclass(frozen=True, slots=True)
class KeepAlerts:
    """Events, what they owe, and up to which batch alerts have followed the journal (None: as before)."""

    events: Sequence[AlertEvent] = ()
    deliveries: Sequence[Delivery] = ()
    upto: int | None = None


@dataclass(frozen=True, slots=True)
class SettleDeliveries:
    """How attempts ended. What was delivered stays delivered."""

    deliveries: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class RetryDelivery:
    """Staff ask for another try of a dead letter."""

    delivery: str
    due: Millis


@dataclass(frozen=True, slots=True)
class KeepOrder:
    """An order as it is after a step, and the step."""

    event: OrderEvent


@dataclass(frozen=True, slots=True)
class KeepAudit:
    """One line of who changed what. `detail` never holds a key, a card or a visitor's words."""

    at: Millis
    who: str
    what: str
    target: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class SpendLink:
    """A link from a message is used; it is remembered until it would have expired."""

    link: str
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class ForgetAlerts:
    """Closed alerts and orders, their trail, the audit and spent links from before this go."""

    before: Millis


@dataclass(frozen=True, slots=True)
class MoveCopy:
    """How far a copy has followed the journal, with (at, line, reason) of what it did not take."""

    copy: str
    upto: int
    refused: Sequence[tuple[Millis, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """A small text under a name; the older one is replaced."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class KeepOpenings:
    """Changes of the stations' promises to be open."""

    changes: Sequence[OpeningChange]


@dataclass(frozen=True, slots=True)
class KeepEnded:
    """Activities that are over. One that is there is left as it is."""

    activities: Sequence[ActivityEnded]


@dataclass(frozen=True, slots=True)
class ForgetEnded:
    """Those that were over before this go."""

    before: Millis


@dataclass(frozen=True, slots=True)
class KeepReports:
    """What people said of checks. One that is there is left as it is."""

    reports: Sequence[StoredCheck]


@dataclass(frozen=True, slots=True)
class ForgetReports:
    """Those that were made before this go, but for the last of each check, which still tells how it is."""

    before: Millis


@dataclass(frozen=True, slots=True)
class ForgetOpenings:
    """Those from before this go, but for the last of each station, which still holds."""

    before: Millis


Job = (
    KeepOpenings
    | KeepEnded
    | ForgetEnded
    | KeepReports
    | ForgetReports
    | ForgetOpenings
    | KeepAlerts
    | SettleDeliveries
    | RetryDelivery
    | KeepOrder
    | KeepAudit
    | SpendLink
    | ForgetAlerts
    | MoveCopy
    | Keep
)

Done = Callable[[Exception | None], None]
"""Told by the writer's thread when jobs are durable, or with the first error of one that could not be stored."""


class WriteJobs(Protocol):
    """Have the writer's thread do jobs between two commits, in order."""

    def __call__(self, jobs: Sequence[Job], done: Done | None = None, *, patient: bool = True) -> None:
        """`patient`: while the store is in trouble they wait; else `done` gets the error and nothing is stored."""
        ...
