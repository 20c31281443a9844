"""Work orders (派单 → 接单 → 验收): pure. "Done" is a claim; only the sensor's evidence closes an order."""

from dataclasses import dataclass, replace
from typing import Literal

from gateway.alerts.words import Alert
from gateway.model import Millis

OrderState = Literal["assigned", "accepted", "done", "closed"]
# A repair shows at the next message; who claims it and shows nothing within this time has not repaired it.
VERIFY_WITHIN_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of work for one assignee. `alert` None: ordered by hand, so a person must verify it."""

    id: str
    alert: str | None
    station: str
    resource: str | None
    title: str
    assignee: str
    state: OrderState
    opened_at: Millis
    changed_at: Millis
    done_at: Millis | None = None
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One line of an order's history with the order as it is after it."""

    order: Order
    at: Millis
    action: Literal["assigned", "accepted", "done", "closed", "reopened", "undone"]
    by: str
    text: str | None = None


class OrderError(ValueError):
    """The step does not fit the order's state."""


def assign(
    name: str,
    alert: Alert | None,
    station: str,
    resource: str | None,
    title: str,
    assignee: str,
    by: str,
    now: Millis,
) -> OrderEvent:
    """派单: a new order of this id, for an alert or by hand."""
    order = Order(name, alert.id if alert else None, station, resource, title, assignee, "assigned", now, now)
    return OrderEvent(order, now, "assigned", by)


def accept(order: Order, by: str, now: Millis) -> OrderEvent:
    """接单. OrderError unless it waits for that."""
    if order.state != "assigned":
        raise OrderError(f"order {order.id} is {order.state}: only an assigned one can be accepted")
    return OrderEvent(replace(order, state="accepted", changed_at=now), now, "accepted", by)


def claim_done(order: Order, by: str, now: Millis) -> OrderEvent:
    """The worker says it is repaired. OrderError for one that is done or closed already."""
    if order.state in ("done", "closed"):
        raise OrderError(f"order {order.id} is {order.state} already")
    return OrderEvent(replace(order, state="done", changed_at=now, done_at=now), now, "done", by)


def verify(order: Order, holds: bool | None, now: Millis) -> OrderEvent | None:
    """验收 of a claimed order: `holds` says whether the trouble is still seen, None when nobody can tell (yet).

    Closed when the sensor agrees, reopened when it does not, or when it stays unable to tell for half an hour.
    """
    if order.state != "done" or order.done_at is None:
        return None
    if holds is False:
        return OrderEvent(replace(order, state="closed", changed_at=now), now, "closed", "sensor")
    late = now >= order.done_at + VERIFY_WITHIN_MS
    if holds or (late and order.alert is not None):
        fresh = replace(order, state="accepted", changed_at=now, done_at=None, reopened=order.reopened + 1)
        return OrderEvent(fresh, now, "reopened", "sensor", "still seen" if holds else "no evidence of the repair")
    return None


def undo(order: Order, by: str, now: Millis) -> OrderEvent:
    """The last step of a person is taken back: done → accepted → assigned → withdrawn, which ends the order.

    An order that a person closed is reported as done again. OrderError for one that was withdrawn.
    """
    before: dict[OrderState, OrderState] = {"done": "accepted", "accepted": "assigned", "closed": "done"}
    if order.state == "closed" and order.done_at is None:
        raise OrderError(f"order {order.id} was withdrawn; give a new one")
    state = before.get(order.state, "closed")
    done_at = now if state == "done" else None
    text = "withdrawn" if order.state == "assigned" else None
    return OrderEvent(replace(order, state=state, changed_at=now, done_at=done_at), now, "undone", by, text)


def verify_by_hand(order: Order, by: str, now: Millis, *, seen_by_person: bool = False) -> OrderEvent:
    """A person vouches for work that no sensor can see. OrderError where a sensor can, but for what a person found."""
    if order.alert is not None and not seen_by_person:
        raise OrderError(f"order {order.id} is verified by the sensor of alert {order.alert}, not by hand")
    if order.state != "done":
        raise OrderError(f"order {order.id} is {order.state}: only one reported as done can be verified")
    return OrderEvent(replace(order, state="closed", changed_at=now), now, "closed", by)
