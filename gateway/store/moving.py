"""What follows a station from one store's core file to another: alerts with their trail, orders, what was said of
checks, promises to be open, activities, and what was set by hand.

First all of it is there, durably, then it goes here; so what a kill cuts short is done again, but for what is there.
"""

import sqlite3  # noqa: TID251
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec

from gateway.model import Millis
from gateway.store.audit import keep_line
from gateway.store.files import store_errors, transaction
from gateway.store.jobs import KeepAudit
from gateway.store.sqlite import SqliteStore

BY = "shards"
LATEST = 2**62
_OF_STATION = {
    "alert": "station = ?",
    "alert_event": "alert IN (SELECT id FROM alert WHERE station = ?)",
    "outbox": "alert IN (SELECT id FROM alert WHERE station = ?)",
    "work_order": "station = ?",
    "order_event": "work_order IN (SELECT id FROM work_order WHERE station = ?)",
    "check_report": "station = ?",
    "opening": "station = ?",
    "activity": "station = ?",
}
"""Each table with its rows of one station. To be deleted in another order: what hangs on others first."""
_GO_FIRST = ("alert_event", "outbox", "order_event")
_MADE_ANEW = {"check_report": ("number",)}  # counted by each file for itself
_BY_STATION = ("overrides", "checks_since", "errands")
_OF_ALL = ("nonces", "answers", "boxes")
_MAPS = ("checks_since", "nonces")  # kept as objects, the others as lists
_STATIONS = " UNION ".join(
    f"SELECT station FROM {table}"  # noqa: S608  names of our own
    for table in ("alert", "work_order", "check_report", "opening", "activity")
)


def stations_in(store: SqliteStore) -> set[str]:
    """The stations of which the store holds anything."""
    with store_errors(store.folder):
        told = {station for (station,) in store.core.execute(_STATIONS) if station is not None}
    return told | {station for name in _BY_STATION for station, _ in _rows_by_station(name, store.kept(name))}


def move_stations(old: SqliteStore, new: SqliteStore, stations: Collection[str], now: Millis) -> None:
    """All of these stations. `stations` may be empty: then only what all gateways share is copied. StoreError.

    `now`: when they change hands, the same however often it is done again.
    """
    with store_errors(new.folder), transaction(new.core):
        if not _has_come(new.core, now, old.folder.name):  # again, what has gone from here would be gone there too
            _bring(old, new, stations, now)
    with store_errors(old.folder), transaction(old.core):
        for table in sorted(_OF_STATION, key=lambda table: table not in _GO_FIRST):
            for station in stations:
                old.core.execute(f"DELETE FROM {table} WHERE {_OF_STATION[table]}", (station,))  # noqa: S608
        for name in _BY_STATION:
            _leave(old, name, stations)
        if stations:
            _note(old.core, now, new.folder.name, f"stations go there: {_listed(stations)}")


def _bring(old: SqliteStore, new: SqliteStore, stations: Collection[str], now: Millis) -> None:
    for table, condition in _OF_STATION.items():
        for station in stations:
            _copy(old.core, new.core, table, f"WHERE {condition}", (station,))
    _copy(old.core, new.core, "used_link", "", ())
    for name in _BY_STATION:
        _join(old, new, name, stations)
    for name in _OF_ALL:
        _share(old, new, name)
    if stations:
        _note(new.core, now, old.folder.name, f"stations from there: {_listed(stations)}; {_head_of(old.core)}")


def compared_days(stores: Iterable[SqliteStore]) -> dict[str, bytes]:
    """By copy the last day that all of these stores found equal, as they keep it."""
    days: dict[str, int] = {}
    for store in stores:
        for name, value in store.core.execute("SELECT key, value FROM meta WHERE key LIKE 'copy equal %'"):
            days[name] = min(days.get(name, LATEST), int(value))
    return {name: b"%d" % day for name, day in days.items()}


def close_own_alerts(store: SqliteStore, now: Millis) -> list[str]:
    """Troubles of a gateway that is no more are over. The ids of the alerts that were open."""
    with store_errors(store.folder), transaction(store.core) as _:
        query = "SELECT id FROM alert WHERE station IS NULL AND state <> 'closed'"
        ids = [name for (name,) in store.core.execute(query)]
        for name in ids:
            store.core.execute(
                "UPDATE alert SET state = 'closed', changed_at = ?, closed_by = ? WHERE id = ?", (now, BY, name)
            )
            store.core.execute(
                "INSERT OR IGNORE INTO alert_event (alert, at, action, by, text) VALUES (?, ?, 'closed', ?, '')",
                (name, now, BY),
            )
    return ids


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str, where: str, values: tuple[Any, ...]) -> None:
    described = old.execute("SELECT name FROM pragma_table_info(?)", (table,))
    names = [name for (name,) in described if name not in _MADE_ANEW.get(table, ())]
    columns, marks = ", ".join(names), ", ".join("?" * len(names))
    rows = old.execute(f"SELECT {columns} FROM {table} {where}", values)  # noqa: S608  names of our own
    new.executemany(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _join(old: SqliteStore, new: SqliteStore, name: str, stations: Collection[str]) -> None:
    """What `old` says of these stations; of all others what `new` says."""
    kept = [(station, item) for station, item in _rows_by_station(name, new.kept(name)) if station not in stations]
    came = [(station, item) for station, item in _rows_by_station(name, old.kept(name)) if station in stations]
    if came or kept:
        _put(new.core, name, _joined(name, [item for _, item in (*kept, *came)]))


def _leave(old: SqliteStore, name: str, stations: Collection[str]) -> None:
    value = old.kept(name)
    if value is not None:
        left = [item for station, item in _rows_by_station(name, value) if station not in stations]
        _put(old.core, name, _joined(name, left))


def _share(old: SqliteStore, new: SqliteStore, name: str) -> None:
    """What every gateway knows: what was done is added up, of how boxes are the first word holds."""
    had, told = new.kept(name), old.kept(name)
    if told is None or (had is not None and name == "boxes"):
        return
    if had and name in _MAPS:
        told = msgspec.json.encode(_decoded(had, {}) | _decoded(told, {}))
    elif had:
        rows = _decoded(had, [])
        told = msgspec.json.encode(rows + [row for row in _decoded(told, []) if row not in rows])
    _put(new.core, name, told)


def _rows_by_station(name: str, kept: bytes | None) -> Iterator[tuple[str, Any]]:
    """Each station and its item: rows that begin with it, objects that name it, or keys as `station/check`."""
    if name in _MAPS:
        yield from ((key.partition("/")[0], (key, at)) for key, at in _decoded(kept, {}).items())
        return
    for item in _decoded(kept, []):
        yield (item["station"] if isinstance(item, dict) else item[0]), item


def _joined(name: str, items: list[Any]) -> bytes:
    return msgspec.json.encode(dict(items) if name in _MAPS else items)


def _decoded(kept: bytes | None, nothing: Any) -> Any:
    """What can't be read is nothing, as at a start."""
    try:
        return msgspec.json.decode(kept) if kept else nothing
    except msgspec.MsgspecError:
        return nothing


def _put(db: sqlite3.Connection, name: str, value: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (name, value))


def _note(db: sqlite3.Connection, now: Millis, other: str, what: str) -> None:
    keep_line(db, KeepAudit(now, BY, "move", other or ".", what))


def _has_come(db: sqlite3.Connection, now: Millis, other: str) -> bool:
    """Whether the audit trail has the line of this move from `other`."""
    query = "SELECT EXISTS (SELECT 1 FROM audit WHERE at = ? AND who = ? AND what = 'move' AND target = ?)"
    [(came,)] = db.execute(query, (now, BY, other or "."))
    return bool(came)


def _listed(stations: Collection[str]) -> str:
    return ", ".join(sorted(stations))


def _head_of(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT head, head_digest FROM audit_chain").fetchone()
    return "no audit trail there" if row is None else "its audit trail ends with line {}, {}".format(*row)
