"""Jobs for the core file, done: each inside a transaction of the writer's thread."""

import json
import sqlite3  # noqa: TID251
from typing import assert_never

from gateway.alerts.words import AlertEvent
from gateway.model import Millis
from gateway.store.activities import apply_ended
from gateway.store.audit import forget_lines, keep_line
from gateway.store.jobs import (
    ForgetAlerts,
    ForgetEnded,
    ForgetOpenings,
    ForgetReports,
    Job,
    Keep,
    KeepAlerts,
    KeepAudit,
    KeepEnded,
    KeepOpenings,
    KeepOrder,
    KeepReports,
    MoveCopy,
    RetryDelivery,
    SettleDeliveries,
    SpendLink,
)
from gateway.store.reports import apply_reports

LATEST = (1 << 63) - 1
REFUSED_MOST = 10_000  # lines that copies did not take: the newest are kept


def apply(db: sqlite3.Connection, job: Job) -> None:
    """Do it. sqlite3.Error, or TypeError for what JSON has no word for."""
    match job:
        case KeepAlerts():
            _keep_alerts(db, job)
        case SettleDeliveries():
            _settle(db, job)
        case RetryDelivery():
            db.execute(
                "UPDATE outbox SET state = 'waiting', attempts = 0, due = ? WHERE id = ? AND state = 'dead'",
                (job.due, job.delivery),
            )
        case KeepOrder():
            _keep_order(db, job)
        case KeepAudit():
            keep_line(db, job)
        case SpendLink():
            db.execute(
                "INSERT OR IGNORE INTO used_link (id, expires_at) VALUES (?, ?)",
                (job.link, min(job.expires_at, LATEST)),
            )
        case ForgetAlerts():
            _forget(db, job.before)
        case MoveCopy():
            _move_copy(db, job)
        case Keep():
            db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (job.name, job.value))
        case KeepOpenings() | ForgetOpenings():
            _openings(db, job)
        case KeepReports() | ForgetReports() | KeepEnded() | ForgetEnded():
            _found(db, job)
        case _:
            assert_never(job)


def _found(db: sqlite3.Connection, job: KeepReports | ForgetReports | KeepEnded | ForgetEnded) -> None:
    """What people saw, and what took place."""
    if isinstance(job, KeepReports | ForgetReports):
        apply_reports(db, job)
    else:
        apply_ended(db, job)


def _openings(db: sqlite3.Connection, job: KeepOpenings | ForgetOpenings) -> None:
    if isinstance(job, KeepOpenings):
        db.executemany(
            "INSERT OR REPLACE INTO opening (station, at, state) VALUES (?, ?, ?)",
            [(change.station, change.at, change.state) for change in job.changes],
        )
        return
    db.execute(
        "DELETE FROM opening WHERE at < ? AND EXISTS"
        " (SELECT 1 FROM opening AS later WHERE later.station = opening.station AND later.at > opening.at)",
        (job.before,),
    )


def _keep_alerts(db: sqlite3.Connection, job: KeepAlerts) -> None:
    for event in job.events:
        _keep_event(db, event)
    db.executemany(
        "INSERT OR IGNORE INTO outbox (id, channel, alert, action, at, due, state, attempts)"
        " VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0)",
        [
            (delivery.id, delivery.channel, delivery.alert.id, delivery.action, delivery.at, delivery.due)
            for delivery in job.deliveries
        ],
    )
    if job.upto is not None:
        db.execute("INSERT OR REPLACE INTO alert_cursor (one, upto) VALUES (1, ?)", (job.upto,))


def _keep_event(db: sqlite3.Connection, event: AlertEvent) -> None:
    alert = event.alert
    fresh = db.execute(
        "INSERT OR IGNORE INTO alert_event (alert, at, action, by, text) VALUES (?, ?, ?, ?, ?)",
        (alert.id, event.at, event.action, event.by, event.text or ""),
    ).rowcount
    if event.action == "opened":
        db.execute(
            "INSERT OR IGNORE INTO alert (id, station, subject, resource, kind, severity, state, since, opened_at,"
            " changed_at, cause, detail, acknowledged_by, closed_by)"
            " VALUES (:id, :station, :subject, :resource, :kind, :severity, :state, :since, :opened_at,"
            " :changed_at, :cause, :detail, :acknowledged_by, :closed_by)",
            {
                "id": alert.id, "station": alert.station, "subject": alert.subject, "resource": alert.resource,
                "kind": alert.kind, "severity": alert.severity, "state": alert.state, "since": alert.since,
                "opened_at": alert.opened_at, "changed_at": alert.changed_at, "cause": alert.cause,
                "detail": json.dumps(dict(alert.detail), ensure_ascii=False),
                "acknowledged_by": alert.acknowledged_by, "closed_by": alert.closed_by,
            },
        )  # fmt: skip
    elif fresh:
        db.execute(
            "UPDATE alert SET state = ?, changed_at = ?, acknowledged_by = ?, closed_by = ? WHERE id = ?",
            (alert.state, alert.changed_at, alert.acknowledged_by, alert.closed_by, alert.id),
        )


def _settle(db: sqlite3.Connection, job: SettleDeliveries) -> None:
    db.executemany(
        "UPDATE outbox SET due = ?, state = ?, attempts = ?, done_at = ?, via = ?, error = ? "
        "WHERE id = ? AND state = 'waiting'",
        [
            (
                delivery.due,
                delivery.state,
                delivery.attempts,
                delivery.done_at,
                delivery.via,
                delivery.error,
                delivery.id,
            )
            for delivery in job.deliveries
        ],
    )


def _keep_order(db: sqlite3.Connection, job: KeepOrder) -> None:
    event, order = job.event, job.event.order
    db.execute(
        "INSERT OR REPLACE INTO work_order (id, alert, station, resource, title, assignee, state, opened_at,"
        " changed_at, done_at, reopened)"
        " VALUES (:id, :alert, :station, :resource, :title, :assignee, :state, :opened_at,"
        " :changed_at, :done_at, :reopened)",
        {
            "id": order.id, "alert": order.alert, "station": order.station, "resource": order.resource,
            "title": order.title, "assignee": order.assignee, "state": order.state, "opened_at": order.opened_at,
            "changed_at": order.changed_at, "done_at": order.done_at, "reopened": order.reopened,
        },
    )  # fmt: skip
    db.execute(
        "INSERT OR IGNORE INTO order_event (work_order, at, action, by, text) VALUES (?, ?, ?, ?, ?)",
        (order.id, event.at, event.action, event.by, event.text),
    )


def _forget(db: sqlite3.Connection, before: Millis) -> None:
    old = "(SELECT id FROM alert WHERE state = 'closed' AND changed_at < ?)"
    db.execute(f"DELETE FROM outbox WHERE state <> 'waiting' AND alert IN {old}", (before,))  # noqa: S608
    db.execute(f"DELETE FROM alert_event WHERE alert IN {old}", (before,))  # noqa: S608
    db.execute("DELETE FROM alert WHERE state = 'closed' AND changed_at < ?", (before,))
    done = "(SELECT id FROM work_order WHERE state = 'closed' AND changed_at < ?)"
    db.execute(f"DELETE FROM order_event WHERE work_order IN {done}", (before,))  # noqa: S608
    db.execute("DELETE FROM work_order WHERE state = 'closed' AND changed_at < ?", (before,))
    db.execute("DELETE FROM used_link WHERE expires_at < ?", (before,))
    forget_lines(db, before)


def _move_copy(db: sqlite3.Connection, job: MoveCopy) -> None:
    db.execute("INSERT OR REPLACE INTO copy_cursor (copy, upto) VALUES (?, ?)", (job.copy, job.upto))
    db.executemany(
        "INSERT INTO dead_letter (at, copy, line, reason) VALUES (?, ?, ?, ?)",
        [(at, job.copy, line, reason) for at, line, reason in job.refused],
    )
    if job.refused:
        db.execute("DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?", (REFUSED_MOST,))
