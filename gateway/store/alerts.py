"""Alerts in the core file, the write side: each function gives work for one transaction of the writer's thread.

Every write may be repeated: ids follow from what happened, so a crash before the cursor moved only repeats work.
"""

import json
import logging
import sqlite3  # noqa: TID251
from collections.abc import Callable, Iterable, Sequence
from importlib import resources

from gateway.alerts.orders import OrderEvent
from gateway.alerts.words import AlertEvent, Delivery
from gateway.model import Millis
from gateway.store.base import StoreError

log = logging.getLogger(__name__)

Work = Callable[[sqlite3.Connection], object]
LATEST = (1 << 63) - 1


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables where they are missing. Once, at start."""
    script = resources.files("gateway.store").joinpath("schema/alerts.sql").read_text()
    for statement in script.split(";\n"):
        db.execute(statement)


def record(events: Sequence[AlertEvent], deliveries: Iterable[Delivery], upto: int | None = None) -> Work:
    """Keep events, what they owe, and up to which batch alerts have followed the journal: all or nothing."""
    owed = list(deliveries)

    def work(db: sqlite3.Connection) -> None:
        for event in events:
            _record_event(db, event)
        db.executemany(
            "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, NULL, NULL, NULL)",
            [(one.id, one.channel, one.alert.id, one.action, one.at, one.due) for one in owed],
        )
        if upto is not None:
            db.execute("INSERT OR REPLACE INTO alert_cursor VALUES (1, ?)", (upto,))

    return work


def _record_event(db: sqlite3.Connection, event: AlertEvent) -> None:
    alert = event.alert
    fresh = db.execute(
        "INSERT OR IGNORE INTO alert_event VALUES (?, ?, ?, ?, ?)",
        (alert.id, event.at, event.action, event.by, event.text or ""),
    ).rowcount
    row = (
        alert.id, alert.station, alert.subject, alert.resource, alert.kind, alert.severity, alert.state, alert.since,
        alert.opened_at, alert.changed_at, alert.cause, json.dumps(dict(alert.detail), ensure_ascii=False),
        alert.acknowledged_by, alert.closed_by,
    )  # fmt: skip
    if event.action == "opened":
        db.execute(f"INSERT OR IGNORE INTO alert VALUES ({', '.join('?' * 14)})", row)  # noqa: S608  names of our own
    elif fresh:
        db.execute(
            "UPDATE alert SET state = ?, changed_at = ?, acknowledged_by = ?, closed_by = ? WHERE id = ?",
            (alert.state, alert.changed_at, alert.acknowledged_by, alert.closed_by, alert.id),
        )


def write_apart(write: Callable[[Work], None], works: Sequence[Work]) -> Exception | None:
    """All works in one transaction; if that fails by what is in them, each for itself. Returns the first failure.

    StoreError of a store in trouble is raised: then nothing was written, or what was is written again.
    """
    try:
        write(lambda db: [work(db) for work in works])
    except Exception as error:
        if isinstance(error, StoreError) and not error.refused:
            raise
    else:
        return None
    first: Exception | None = None
    for work in works:
        try:
            write(work)
        except Exception as error:
            if isinstance(error, StoreError) and not error.refused:
                raise
            first = first or error
    return first


def settle(deliveries: Sequence[Delivery]) -> Work:
    """Keep how attempts ended. What was delivered stays delivered."""
    rows = [(one.due, one.state, one.attempts, one.done_at, one.via, one.error, one.id) for one in deliveries]

    def work(db: sqlite3.Connection) -> None:
        db.executemany(
            "UPDATE outbox SET due = ?, state = ?, attempts = ?, done_at = ?, via = ?, error = ? "
            "WHERE id = ? AND state = 'waiting'",
            rows,
        )

    return work


def retry(delivery_id: str, now: Millis) -> Work:
    """Staff ask for another try of a dead letter."""
    query = "UPDATE outbox SET state = 'waiting', attempts = 0, due = ? WHERE id = ? AND state = 'dead'"
    return lambda db: db.execute(query, (now, delivery_id))


def record_order(event: OrderEvent) -> Work:
    """Keep an order as it is after a step, and the step."""
    one = event.order

    def work(db: sqlite3.Connection) -> None:
        db.execute(
            f"INSERT OR REPLACE INTO work_order VALUES ({', '.join('?' * 11)})",  # noqa: S608  names of our own
            (one.id, one.alert, one.station, one.resource, one.title, one.assignee, one.state, one.opened_at,
             one.changed_at, one.done_at, one.reopened),
        )  # fmt: skip
        db.execute(
            "INSERT OR IGNORE INTO order_event VALUES (?, ?, ?, ?, ?)",
            (one.id, event.at, event.action, event.by, event.text),
        )

    return work


def audit(at: Millis, who: str, what: str, target: str, detail: str | None = None) -> Work:
    """One line of who changed what. `detail` never holds a key, a card or a visitor's words."""
    query = "INSERT INTO audit (at, who, what, target, detail) VALUES (?, ?, ?, ?, ?)"
    return lambda db: db.execute(query, (at, who, what, target, detail))


def use_link(link_id: str, expires_at: Millis) -> Callable[[sqlite3.Connection], bool]:
    """Spend a link. False when it was spent before."""
    query = "INSERT OR IGNORE INTO used_link VALUES (?, ?)"
    until = min(expires_at, LATEST)
    return lambda db: db.execute(query, (link_id, until)).rowcount == 1


def forget(before: Millis) -> Work:
    """Drop closed alerts, their trail and spent links that are older than retention."""

    def work(db: sqlite3.Connection) -> None:
        old = "(SELECT id FROM alert WHERE state = 'closed' AND changed_at < ?)"
        db.execute(f"DELETE FROM outbox WHERE state <> 'waiting' AND alert IN {old}", (before,))  # noqa: S608
        db.execute(f"DELETE FROM alert_event WHERE alert IN {old}", (before,))  # noqa: S608
        db.execute("DELETE FROM alert WHERE state = 'closed' AND changed_at < ?", (before,))
        done = "(SELECT id FROM work_order WHERE state = 'closed' AND changed_at < ?)"
        db.execute(f"DELETE FROM order_event WHERE work_order IN {done}", (before,))  # noqa: S608
        db.execute("DELETE FROM work_order WHERE state = 'closed' AND changed_at < ?", (before,))
        db.execute("DELETE FROM used_link WHERE expires_at < ?", (before,))
        db.execute("DELETE FROM audit WHERE at < ?", (before,))

    return work
