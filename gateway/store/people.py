"""People at counters and doors, as their states tell them: in the roll-ups file, by local hour."""

import sqlite3  # noqa: TID251
from collections import defaultdict
from dataclasses import asdict

import msgspec

from gateway.base.local_time import hour_start
from gateway.history.turnstile import Passed, Turnstile, TurnstileSaid
from gateway.model import Millis, Resource
from gateway.store.place import COUNTERS, Place

_ADD = (
    "INSERT INTO people (scope, start, openings, least, most, seen_ms)"
    " VALUES (:scope, :start, :openings, :least, :most, :seen_ms)"
    " ON CONFLICT (scope, start) DO UPDATE SET openings = openings + excluded.openings, least = least + excluded.least,"
    " most = most + excluded.most, seen_ms = seen_ms + excluded.seen_ms"
)
_turnstile = msgspec.json.Decoder(Turnstile).decode


def kept_turnstiles(db: sqlite3.Connection) -> dict[str, Turnstile]:
    """Scope → what was last heard there."""
    rows = db.execute("SELECT text, state FROM turnstile JOIN scope ON scope.id = turnstile.scope")
    return {scope: _turnstile(state) for scope, state in rows}


class PeopleStep:
    """What some batches add, before it is kept. `heard` are those that changed."""

    def __init__(self, turnstiles: dict[str, Turnstile]) -> None:
        self._kept = turnstiles
        self.heard: dict[str, Turnstile] = {}
        self._sums: dict[tuple[str, Millis], Passed] = defaultdict(Passed)

    def tells(self, place: Place, resource: Resource, told: TurnstileSaid, at: Millis) -> None:
        """A counter's or a door's state."""
        name = place.scopes_of(resource)[0]
        turnstile = self._of(name)
        if resource.kind not in COUNTERS:
            if turnstile.opens(told, at):
                self._sums[name, hour_start(at, place.zone)].openings += 1
            return
        step = turnstile.hear(told, at, resource.ttl_ms)
        if step is not None:
            for start, passed in step.shared_out(place.zone):
                self._sums[name, start].add(passed)

    def counts_anew(self, place: Place, resource: Resource) -> None:
        """Its device's numbers begin again: a low one is no late one."""
        self._of(place.scopes_of(resource)[0]).seq = -1

    @property
    def scopes(self) -> set[str]:
        return {scope for scope, _ in self._sums} | set(self.heard)

    def keep(self, db: sqlite3.Connection, ids: dict[str, int]) -> None:
        """Inside a transaction. `ids`: the numbers of `scopes`."""
        rows = [{"scope": ids[scope], "start": at, **asdict(passed)} for (scope, at), passed in self._sums.items()]
        db.executemany(_ADD, rows)
        states = [(ids[scope], msgspec.json.encode(turnstile)) for scope, turnstile in self.heard.items()]
        db.executemany("INSERT OR REPLACE INTO turnstile (scope, state) VALUES (?, ?)", states)

    def _of(self, name: str) -> Turnstile:
        turnstile = self.heard.get(name)
        if turnstile is None:
            turnstile = self.heard[name] = msgspec.structs.replace(self._kept.get(name, Turnstile()))
        return turnstile
