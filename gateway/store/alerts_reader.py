"""Alerts in the core file, the read side: for the notifier, the API and a starting core, in any process."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from gateway.alerts.kinds import KINDS
from gateway.alerts.orders import Order
from gateway.alerts.words import SENSOR, Alert, AlertEvent, Delivery
from gateway.model import Millis
from gateway.store.days import CORE
from gateway.store.files import READ_ERRORS, as_store_error, read_only

_FIELDS = tuple(column.name for column in fields(Alert))
_ALERT = ", ".join(_FIELDS)
_DELIVERED = ("id", "channel", "action", "at", "due", "state", "attempts", "done_at", "via", "error")
_DELIVERY = ", ".join([f"o.{name}" for name in _DELIVERED] + [f"a.{name} AS alert_{name}" for name in _FIELDS])
_ORDER = ", ".join(column.name for column in fields(Order))

_DANGERS = ", ".join(f"'{name}'" for name, kind in KINDS.items() if kind.danger)
_DANGER = f"(a.severity = 'critical' AND a.kind IN ({_DANGERS}))"  # as alerts.kinds.is_danger

Row = tuple[Any, ...]


class AlertReader:
    """Read-only questions about alerts, their deliveries and orders; one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """The file must exist: the gateway makes it before anybody reads. Of version 1 it may lack the tables."""
        self._path = folder / CORE
        self._db = read_only(self._path)

    def close(self) -> None:
        self._db.close()

    def _ask(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            return self._db.execute(query, values).fetchall()
        except READ_ERRORS as error:
            raise as_store_error(error, self._path) from error

    def _named(self, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Rows by the names of their columns."""
        try:
            cursor = self._db.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        except READ_ERRORS as error:
            raise as_store_error(error, self._path) from error

    def cursor(self) -> int:
        """Up to which batch of the journal alerts have followed; 0 at the very start."""
        return next((int(upto) for (upto,) in self._ask("SELECT upto FROM alert_cursor")), 0)

    def unsettled(self) -> list[Alert]:
        """What a starting core must know: open alerts, and the newest of each subject if staff closed it by hand."""
        query = f"""SELECT {_ALERT} FROM alert WHERE state <> 'closed' UNION ALL
            SELECT {_ALERT} FROM alert AS a WHERE state = 'closed' AND closed_by <> ? AND NOT EXISTS (
                SELECT 1 FROM alert AS b WHERE b.station IS a.station AND b.subject = a.subject AND b.kind = a.kind
                AND b.id <> a.id AND b.opened_at >= a.opened_at)"""  # noqa: S608  names of our own
        return [_alert(row) for row in self._named(query, (SENSOR,))]

    def alerts(
        self,
        state: str | None = None,
        stations: Sequence[str] | None = None,
        limit: int = 500,
        kind: str | None = None,
    ) -> list[Alert]:
        """Newest first. `stations` None for all, ours included."""
        where, values = _where(("state", state), ("kind", kind), stations=stations)
        query = f"SELECT {_ALERT} FROM alert {where} ORDER BY opened_at DESC, id LIMIT ?"  # noqa: S608
        return [_alert(row) for row in self._named(query, (*values, limit))]

    def alert(self, alert_id: str) -> Alert | None:
        rows = self._named(f"SELECT {_ALERT} FROM alert WHERE id = ?", (alert_id,))  # noqa: S608
        return _alert(rows[0]) if rows else None

    def history(self, alert_id: str) -> list[tuple[Millis, str, str, str | None]]:
        """(at, action, by, text), oldest first."""
        query = """SELECT at, action, by, nullif(text, '') FROM alert_event WHERE alert = ?
            ORDER BY at, CASE action WHEN 'opened' THEN 0 WHEN 'closed' THEN 2 ELSE 1 END"""
        return self._ask(query, (alert_id,))

    def events_since(self, since: Millis) -> list[AlertEvent]:
        """What happened since, in order, each with its alert as it is by now."""
        query = f"""SELECT {", ".join(f"a.{name}" for name in _FIELDS)}, e.at AS event_at, e.action, e.by AS event_by,
            nullif(e.text, '') AS event_text FROM alert_event AS e JOIN alert AS a ON a.id = e.alert WHERE e.at >= ?
            ORDER BY e.at"""  # noqa: S608  names of our own
        return [
            AlertEvent(
                _alert({name: row[name] for name in _FIELDS}),
                row["event_at"],
                row["action"],
                row["event_by"],
                row["event_text"],
            )
            for row in self._named(query, (since,))
        ]

    def muted(self, since: Millis) -> list[tuple[str | None, str, str, Millis, str]]:
        """(station, subject, kind, at, until) of each time staff muted something since, the oldest first."""
        query = """SELECT a.station, a.subject, a.kind, e.at, e.text FROM alert_event AS e JOIN alert AS a
            ON a.id = e.alert WHERE e.action = 'muted' AND e.at >= ? ORDER BY e.at"""
        return self._ask(query, (since,))

    def words_by_hand(self) -> bytes | None:
        """What is set by hand, as `policy.override.Overrides.dump` wrote it; None where nothing ever was."""
        return next((bytes(value) for (value,) in self._ask("SELECT value FROM meta WHERE key = 'overrides'")), None)

    def due(self, now: Millis, *, dangers_of: str | None = None, lanes: Collection[str] = ()) -> list[Delivery]:
        """Waiting deliveries whose time has come, oldest event first: those of dangers to the channel `dangers_of`, or
        all that are none, with dangers to channels that have no lane."""
        condition, order = "o.state = 'waiting' AND o.due <= ?", "ORDER BY o.at, o.id LIMIT 1000"
        if dangers_of is not None:
            return self._deliveries(f"{condition} AND {_DANGER} AND o.channel = ? {order}", now, dangers_of)
        others = f"(NOT {_DANGER} OR o.channel NOT IN ({', '.join('?' * len(lanes))}))"
        return self._deliveries(f"{condition} AND {others} {order}", now, *lanes)

    def next_due(self, now: Millis) -> Millis | None:
        """When the next delivery that is not due at `now` becomes so."""
        due: Millis | None
        ((due,),) = self._ask("SELECT min(due) FROM outbox WHERE state = 'waiting' AND due > ?", (now,))
        return due

    def counts(self) -> dict[str, int]:
        """How many alerts are in each state that is not the end."""
        return dict(self._ask("SELECT state, count(*) FROM alert WHERE state <> 'closed' GROUP BY state"))

    def owed(self, state: str) -> int:
        """How many deliveries are in this state."""
        ((count,),) = self._ask("SELECT count(*) FROM outbox WHERE state = ?", (state,))
        return int(count)

    def deliveries_of(self, alert_id: str) -> list[Delivery]:
        """What was owed for an alert and how it went, oldest first."""
        return self._deliveries("o.alert = ? ORDER BY o.at, o.id", alert_id)

    def dead_letters(self) -> list[Delivery]:
        return self._deliveries("o.state = 'dead' ORDER BY o.at DESC, o.id LIMIT 500")

    def sent_at(self, channel: str, since: Millis) -> list[Millis]:
        """When messages went out through this channel; a digest counts once."""
        query = "SELECT DISTINCT done_at FROM outbox WHERE state = 'delivered' AND via = ? AND done_at > ? ORDER BY 1"
        return [done_at for (done_at,) in self._ask(query, (channel, since))]

    def standing(self, channel: str) -> list[Alert]:
        """Alerts that are open still and that a channel was told of, oldest first."""
        query = f"""SELECT {_ALERT} FROM alert WHERE state <> 'closed' AND id IN (
            SELECT alert FROM outbox WHERE via = ? AND state = 'delivered') ORDER BY opened_at, id"""  # noqa: S608
        return [_alert(row) for row in self._named(query, (channel,))]

    def orders(self, stations: Sequence[str] | None = None, state: str | None = None, limit: int = 500) -> list[Order]:
        """Newest first."""
        where, values = _where(("state", state), stations=stations)
        query = f"SELECT {_ORDER} FROM work_order {where} ORDER BY opened_at DESC, id LIMIT ?"  # noqa: S608
        return [Order(**row) for row in self._named(query, (*values, limit))]

    def order(self, order_id: str) -> Order | None:
        rows = self._named(f"SELECT {_ORDER} FROM work_order WHERE id = ?", (order_id,))  # noqa: S608
        return Order(**rows[0]) if rows else None

    def order_history(self, order_id: str) -> list[tuple[Millis, str, str, str | None]]:
        query = "SELECT at, action, by, text FROM order_event WHERE work_order = ? ORDER BY at"
        return self._ask(query, (order_id,))

    def link_used(self, link_id: str) -> bool:
        return bool(self._ask("SELECT 1 FROM used_link WHERE id = ?", (link_id,)))

    def audited(self, nonce: str) -> bool:
        """Was what carries this nonce carried out?"""
        query = "SELECT 1 FROM (SELECT detail FROM audit ORDER BY id DESC LIMIT 1000) WHERE detail = ?"
        return bool(self._ask(query, (nonce,)))

    def audit(self, limit: int = 500) -> list[tuple[Millis, str, str, str, str | None]]:
        """(at, who, what, target, detail), newest first."""
        return self._ask("SELECT at, who, what, target, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,))

    def response_times(self, since: Millis) -> tuple[float | None, float | None]:
        """(MTTA, MTTR) in seconds over alerts opened since: to the first acknowledgement, to the close."""
        query = """SELECT avg(e.at - a.opened_at) / 1000.0 FROM alert AS a JOIN alert_event AS e
            ON e.alert = a.id AND e.action = ? WHERE a.opened_at >= ?"""
        ((acknowledged,),), ((closed,),) = (self._ask(query, (what, since)) for what in ("acknowledged", "closed"))
        return acknowledged, closed

    def _deliveries(self, condition: str, *values: object) -> list[Delivery]:
        query = f"SELECT {_DELIVERY} FROM outbox AS o JOIN alert AS a ON a.id = o.alert WHERE {condition}"  # noqa: S608
        return [_delivery(row) for row in self._named(query, values)]


def _where(*equal: tuple[str, str | None], stations: Sequence[str] | None) -> tuple[str, list[object]]:
    conditions = [f"{column} = ?" for column, value in equal if value is not None]
    values: list[object] = [value for _, value in equal if value is not None]
    if stations is not None:
        conditions.append(f"station IN ({', '.join('?' * len(stations))})")
        values += stations
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), values


def _alert(row: Mapping[str, Any]) -> Alert:
    return Alert(**{**row, "detail": json.loads(row["detail"])})


def _delivery(row: Mapping[str, Any]) -> Delivery:
    alert = _alert({name: row[f"alert_{name}"] for name in _FIELDS})
    return Delivery(alert=alert, **{name: row[name] for name in _DELIVERED})
