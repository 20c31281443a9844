"""What counts said of things that hold several, in the roll-ups file: one row for each time a count was another."""

import sqlite3  # noqa: TID251

from msgspec import Struct

from config.kinds import SPECS, named
from gateway import wire
from gateway.base.bounds import COUNT, NOBODY_COUNTED
from gateway.history.fill import LOOK_BACK_MS, Level
from gateway.model import KindName, Millis, Resource
from gateway.store.place import Place

UNITS: frozenset[KindName] = named("counted_in_units")
PEOPLE: frozenset[KindName] = named("holds_people")


class CountTold(Struct, gc=False):
    """What a message tells of how many there are."""

    ts: wire.Time | None = None
    people: int | None = None
    free: int | None = None
    total: int | None = None


def counted_in_units(resource: Resource) -> bool:
    return SPECS[resource.kind].counted_in_units


def may_be_counted(resource: Resource) -> bool:
    """A room that says how many it holds and may be told exactly, a bank of units."""
    if resource.kind in UNITS:
        return True
    return resource.kind in PEOPLE and resource.privacy != "coarse"


def levels(db: sqlite3.Connection, scope: str, start: Millis, end: Millis) -> list[Level]:
    """Those inside [start, end), from an hour before on, and the one that held then."""
    first = start - LOOK_BACK_MS
    ids = db.execute("SELECT id FROM scope WHERE text = ?", (scope,)).fetchall()
    if not ids:
        return []
    before = db.execute(
        "SELECT at, taken, size FROM level WHERE scope = ? AND at < ? ORDER BY at DESC LIMIT 1", (*ids[0], first)
    ).fetchall()
    rows = db.execute(
        "SELECT at, taken, size FROM level WHERE scope = ? AND at >= ? AND at < ? ORDER BY at", (*ids[0], first, end)
    ).fetchall()
    return [Level(*row) for row in before + rows]


class LevelStep:
    """What some batches say, before it is kept. `last`: the newest level of each scope."""

    def __init__(self, last: dict[str, Level]) -> None:
        self._kept = last
        self.heard: dict[str, Level] = {}
        self._rows: list[tuple[str, Level]] = []

    def tells(self, place: Place, resource: Resource, told: CountTold, at: Millis) -> None:
        name = place.scopes_of(resource)[0]
        last = self.heard.get(name) or self._kept.get(name)
        level = _level(resource, told, at, last)
        if level is None or (last is not None and (at <= last.at or (level.taken, level.size) == last[1:])):
            return
        self.heard[name] = level
        self._rows.append((name, level))

    @property
    def scopes(self) -> set[str]:
        return set(self.heard)

    def keep(self, db: sqlite3.Connection, ids: dict[str, int]) -> None:
        """Inside a transaction. `ids`: the numbers of `scopes`."""
        rows = [(ids[name], *level) for name, level in self._rows]
        db.executemany("INSERT OR REPLACE INTO level (scope, at, taken, size) VALUES (?, ?, ?, ?)", rows)


def kept_levels(db: sqlite3.Connection) -> dict[str, Level]:
    """Scope → the last that was said of it."""
    query = "SELECT text, max(at), taken, size FROM level JOIN scope ON scope.id = level.scope GROUP BY scope"
    rows = db.execute(query)
    return {scope: Level(at, taken, size) for scope, at, taken, size in rows}


def _level(resource: Resource, told: CountTold, at: Millis, last: Level | None) -> Level | None:
    if resource.kind in PEOPLE:
        size = resource.capacity
        if told.people is None or size is None:
            return None
        if not 0 <= told.people <= COUNT[1] or told.people in NOBODY_COUNTED:
            return Level(at, None, size)
        return Level(at, min(told.people, size), size)
    size = told.total if told.total is not None else resource.capacity if last is None else last.size
    if told.free is None or size is None or not 0 <= told.free <= size <= COUNT[1]:
        return None
    return Level(at, size - told.free, size)
