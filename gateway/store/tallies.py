"""The tallies of `gateway.history` in the roll-ups file: the journal's messages once each, after a cursor, in order."""

import sqlite3  # noqa: TID251
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import msgspec

from config.kinds import SPECS
from gateway import wire
from gateway.base.bounds import POWER_W
from gateway.base.local_time import hour_start
from gateway.history.tally import Mark, Meter, Said, Tally, is_visit
from gateway.model import ANEW, RETAINED, TS_SUSPECT, Batch, Millis, Resource
from gateway.store.day_reader import readers
from gateway.store.days import day_files
from gateway.store.files import transaction
from gateway.store.journal import Journal
from gateway.store.place import ENTRANCES, METERED, Place

AT_ONCE = 2_000  # messages in one step: a few milliseconds, or a sealed block of hours before
LATEST_MS = 250_000_000_000_000  # the year 9892: what was imported from later has no hour in any calendar
_ADD = (
    "INSERT INTO tally (scope, start, energy_mwh, gap_mwh, resets, readings, passages)"
    " VALUES (:scope, :start, :energy_mwh, :gap_mwh, :resets, :readings, :passages)"
    " ON CONFLICT (scope, start) DO UPDATE SET"
    " energy_mwh = energy_mwh + excluded.energy_mwh, gap_mwh = gap_mwh + excluded.gap_mwh,"
    " resets = resets + excluded.resets, readings = readings + excluded.readings,"
    " passages = passages + excluded.passages"
)
_said = msgspec.json.Decoder(Said).decode
_meter = msgspec.json.Decoder(Meter).decode

_MOST_W = {(spec.name, name): one.most_w for spec in SPECS.values() for name, one in spec.types.items()}

Told = tuple[Place, Resource]


class Tallies:
    """Fed by `follow` from the writer's thread; the cursor moves with what it counted, in one transaction."""

    def __init__(self, db: sqlite3.Connection, folder: Path, places: Iterable[Place]) -> None:
        self._db, self._journal = db, Journal(folder)
        (kept,) = db.execute("SELECT upto FROM tallied").fetchone()
        self._upto = min(kept, _last_id(folder))  # where the newest day was lost its numbers come again
        self._chargers, self._doors = _topics(places)
        self._meters: dict[str, Meter] = {
            scope: _meter(state)
            for scope, state in db.execute("SELECT text, state FROM meter JOIN scope ON scope.id = meter.scope")
        }

    def follow(self, now: Millis) -> bool:
        """Count what was committed since, about `AT_ONCE` messages. True if there may be more. sqlite3.Error."""
        step, seen, upto = _Step(self._meters), 0, self._upto
        for number, batch in self._journal.after(upto):
            self._count(batch, step)
            seen, upto = seen + len(batch), number
            if seen >= AT_ONCE:
                break
        more = seen >= AT_ONCE
        with transaction(self._db):
            step.keep(self._db)
            self._db.execute("UPDATE tallied SET upto = ?", (upto,))
            if not more:
                self._db.execute("UPDATE tallied SET at = ?", (now,))
        self._meters.update(step.heard)
        self._upto = upto
        return more

    def _count(self, batch: Batch, step: "_Step") -> None:
        for topic, payload, received_at, flags in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            if flags & RETAINED or received_at > LATEST_MS:
                continue
            if flags & ANEW and (told := self._chargers.get(topic.rpartition(b"/")[0] + b"/state")):
                step.counts_anew(*told)
            if topic in self._chargers:
                step.charger(*self._chargers[topic], payload, received_at, flags)
            elif topic in self._doors:
                step.door(*self._doors[topic], payload, received_at, flags)

    def close(self) -> None:
        self._journal.close()


class _Step:
    """What some batches add, before it is kept."""

    def __init__(self, meters: dict[str, Meter]) -> None:
        self._meters = meters
        self.heard: dict[str, Meter] = {}
        self._sums: dict[tuple[str, Millis], Tally] = defaultdict(Tally)
        self._marks: list[tuple[str, Mark]] = []

    def charger(self, place: Place, resource: Resource, payload: bytes, received_at: Millis, flags: int) -> None:
        try:
            said = _said(payload)
        except msgspec.DecodeError:
            return
        at = _moment(said.ts, received_at, flags)
        scopes = place.scopes_of(resource)
        name = scopes[0]
        meter = self._meter_of(name)
        told = meter.hear(said, at, received_at, _MOST_W.get((resource.kind, resource.type or ""), POWER_W[1]))
        if told is not None:
            tally, marks = told
            start = hour_start(at, place.zone)
            for scope in scopes if tally.readings else ():
                self._sums[scope, start].add(tally)
            self._marks += [(name, mark) for mark in marks]

    def counts_anew(self, place: Place, resource: Resource) -> None:
        """Its device's numbers begin again: a low one is no late one."""
        self._meter_of(place.scopes_of(resource)[0]).seq = -1

    def _meter_of(self, name: str) -> Meter:
        meter = self.heard.get(name)
        if meter is None:
            meter = self.heard[name] = msgspec.structs.replace(self._meters.get(name, Meter()))
        return meter

    def door(self, place: Place, resource: Resource, payload: bytes, received_at: Millis, flags: int) -> None:
        try:
            event = wire.read_event(payload)
        except wire.UnreadableError:
            return
        if is_visit(event):
            start = hour_start(_moment(event.ts, received_at, flags), place.zone)
            self._sums[place.scopes_of(resource)[0], start].passages += 1

    def keep(self, db: sqlite3.Connection) -> None:
        """Inside a transaction."""
        ids = scope_ids(db, {scope for scope, _ in self._sums} | set(self.heard))
        db.executemany(
            _ADD,
            [{"scope": ids[scope], "start": start, **asdict(tally)} for (scope, start), tally in self._sums.items()],
        )
        db.executemany(
            "INSERT OR REPLACE INTO mark (scope, at, total_mwh, resets) VALUES (?, ?, ?, ?)",
            [(ids[name], at, total_mwh, resets) for name, (at, total_mwh, resets) in self._marks],
        )
        meters = [(ids[scope], msgspec.json.encode(meter)) for scope, meter in self.heard.items()]
        db.executemany("INSERT OR REPLACE INTO meter (scope, state) VALUES (?, ?)", meters)


def scope_ids(db: sqlite3.Connection, texts: Iterable[str]) -> dict[str, int]:
    """Inside a transaction: the numbers of these scopes, given to what has none."""
    names = sorted(texts)
    db.executemany("INSERT OR IGNORE INTO scope (text) VALUES (?)", [(text,) for text in names])
    find = "SELECT id FROM scope WHERE text = ?"
    return {text: db.execute(find, (text,)).fetchone()[0] for text in names}


def _last_id(folder: Path) -> int:
    """The newest batch of the journal; 0 where there is none."""
    newest_first = readers(reversed(day_files(folder)))
    return next((found for day in newest_first if (found := day.last_id())), 0)


def _topics(places: Iterable[Place]) -> tuple[dict[bytes, Told], dict[bytes, Told]]:
    """Whose meter and whose cards a topic tells. A device of several chargers tells nobody's meter."""
    chargers: dict[bytes, list[Told]] = defaultdict(list)
    doors: dict[bytes, Told] = {}
    for place in places:
        for one in place.resources:
            if one.kind in METERED:
                chargers[wire.topic(one.station, one.device, "state").encode()].append((place, one))
            elif one.kind in ENTRANCES:
                doors[wire.topic(one.station, one.device, "event").encode()] = place, one
    return {topic: told[0] for topic, told in chargers.items() if len(told) == 1}, doors


def _moment(ts: wire.Time | None, received_at: Millis, flags: int) -> Millis:
    """When a message was true: as it says, where that is believed."""
    told = None if flags & TS_SUSPECT else wire.millis(ts)
    return received_at if told is None else min(told, received_at)
