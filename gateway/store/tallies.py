"""The tallies of `gateway.history` in the roll-ups file: the journal's messages once each, after a cursor, in order."""

import sqlite3  # noqa: TID251
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import msgspec

from config.kinds import SPECS
from gateway import wire
from gateway.base.bounds import POWER_W
from gateway.base.local_time import hour_start
from gateway.history.fill import Level
from gateway.history.tally import Meter, MeterMark, MeterSaid, Tally, is_visit, passed_in
from gateway.history.transactions import Transaction, TransactionSaid, transaction_of
from gateway.history.turnstile import Turnstile, TurnstileSaid
from gateway.model import ANEW, RETAINED, TS_SUSPECT, Batch, Millis, Resource
from gateway.store.day_reader import readers
from gateway.store.days import day_files
from gateway.store.files import transaction
from gateway.store.journal import Journal
from gateway.store.levels import PEOPLE, UNITS, CountTold, LevelStep, kept_levels, may_be_counted
from gateway.store.people import PeopleStep, kept_turnstiles
from gateway.store.place import COUNTERS, ENTRANCES, METERED, Place

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
_said = msgspec.json.Decoder(MeterSaid).decode
_told = msgspec.json.Decoder(TurnstileSaid).decode
_meter = msgspec.json.Decoder(Meter).decode
_transaction_said = msgspec.json.Decoder(TransactionSaid).decode
_counted = msgspec.json.Decoder(CountTold).decode

_MOST_W = {(spec.name, name): type_spec.most_w for spec in SPECS.values() for name, type_spec in spec.types.items()}

TallyOwner = tuple[Place, Resource]


class Tallies:
    """Fed by `follow` from the writer's thread; the cursor moves with what it counted, in one transaction."""

    def __init__(self, db: sqlite3.Connection, folder: Path, places: Iterable[Place]) -> None:
        self._db, self._journal = db, Journal(folder)
        (kept,) = db.execute("SELECT upto FROM tallied").fetchone()
        self._upto = min(kept, _last_id(folder))  # where the newest day was lost its numbers come again
        self._followed = _followed(list(places))
        self._turnstiles, self._levels = kept_turnstiles(db), kept_levels(db)
        self.followed_to: Millis = 0  # of what came until then every message was counted
        self._meters: dict[str, Meter] = {
            scope: _meter(state)
            for scope, state in db.execute("SELECT text, state FROM meter JOIN scope ON scope.id = meter.scope")
        }

    def places(self, places: Iterable[Place]) -> None:
        """Count the messages of these places from now on."""
        self._followed = _followed(list(places))

    def follow(self, now: Millis) -> bool:
        """Count what was committed since, about `AT_ONCE` messages. True if there may be more. sqlite3.Error."""
        step, seen, upto = _Step(self._meters, self._turnstiles, self._levels), 0, self._upto
        came: Millis = 0
        for number, batch in self._journal.after(upto):
            self._count(batch, step)
            seen, upto = seen + len(batch), number
            came = batch.received[-1] if batch.received else came
            if seen >= AT_ONCE:
                break
        more = seen >= AT_ONCE
        with transaction(self._db):
            step.keep(self._db)
            self._db.execute("UPDATE tallied SET upto = ?", (upto,))
            if not more:
                self._db.execute("UPDATE tallied SET at = ?", (now,))
        self._meters.update(step.heard)
        self._turnstiles.update(step.people.heard)
        self._levels.update(step.levels.heard)
        self._upto = upto
        self.followed_to = max(self.followed_to, came) if more else now
        return more

    def _count(self, batch: Batch, step: "_Step") -> None:
        for topic, payload, received_at, flags in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            if flags & RETAINED or received_at > LATEST_MS:
                continue
            if flags & ANEW:
                for owner in self._followed.get(topic.rpartition(b"/")[0] + b"/state", ()):
                    step.counts_anew(*owner)
            for owner in self._followed.get(topic, ()):
                step.hear(owner, topic.endswith(b"/event"), payload, received_at, flags)

    def close(self) -> None:
        self._journal.close()


class _Step:
    """What some batches add, before it is kept."""

    def __init__(self, meters: dict[str, Meter], turnstiles: dict[str, Turnstile], levels: dict[str, Level]) -> None:
        self._meters, self.people, self.levels = meters, PeopleStep(turnstiles), LevelStep(levels)
        self.heard: dict[str, Meter] = {}
        self._sums: dict[tuple[str, Millis], Tally] = defaultdict(Tally)
        self._marks: list[tuple[str, MeterMark]] = []
        self._transactions: list[tuple[str, Transaction]] = []

    def hear(self, owner: TallyOwner, event: bool, payload: bytes, received_at: Millis, flags: int) -> None:
        place, resource = owner
        if event and resource.kind in METERED:
            self._transaction(place, resource, payload, received_at)
        elif event:
            self._event(place, resource, payload, received_at, flags)
        elif resource.kind in METERED:
            self._charger(place, resource, payload, received_at, flags)
        elif resource.kind in UNITS | PEOPLE:
            self._count_of(place, resource, payload, received_at, flags)
        else:
            self._state(place, resource, payload, received_at, flags)

    def _charger(self, place: Place, resource: Resource, payload: bytes, received_at: Millis, flags: int) -> None:
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

    def _transaction(self, place: Place, resource: Resource, payload: bytes, received_at: Millis) -> None:
        try:
            told = transaction_of(_transaction_said(payload), received_at)
        except (msgspec.DecodeError, RecursionError):
            return
        if told is not None:
            self._transactions.append((place.scopes_of(resource)[0], told))

    def counts_anew(self, place: Place, resource: Resource) -> None:
        """Its device's numbers begin again: a low one is no late one."""
        if resource.kind in METERED:
            self._meter_of(place.scopes_of(resource)[0]).seq = -1
        elif resource.kind not in UNITS | PEOPLE:
            self.people.counts_anew(place, resource)

    def _meter_of(self, name: str) -> Meter:
        meter = self.heard.get(name)
        if meter is None:
            meter = self.heard[name] = msgspec.structs.replace(self._meters.get(name, Meter()))
        return meter

    def _state(self, place: Place, resource: Resource, payload: bytes, received_at: Millis, flags: int) -> None:
        try:
            told = _told(payload)
        except msgspec.DecodeError:
            return
        self.people.tells(place, resource, told, _moment(told.ts, received_at, flags))

    def _count_of(self, place: Place, resource: Resource, payload: bytes, received_at: Millis, flags: int) -> None:
        try:
            told = _counted(payload)
        except msgspec.DecodeError:
            return
        self.levels.tells(place, resource, told, _moment(told.ts, received_at, flags))

    def _event(self, place: Place, resource: Resource, payload: bytes, received_at: Millis, flags: int) -> None:
        try:
            event = wire.read_event(payload)
        except wire.UnreadableError:
            return
        if people := passed_in(event) if resource.kind in COUNTERS else int(is_visit(event)):
            start = hour_start(_moment(event.ts, received_at, flags), place.zone)
            self._sums[place.scopes_of(resource)[0], start].passages += people

    def keep(self, db: sqlite3.Connection) -> None:
        """Write the sums, inside a transaction of the caller."""
        charged = {scope for scope, _ in self._transactions}
        named = self.people.scopes | self.levels.scopes | charged
        ids = scope_ids(db, {scope for scope, _ in self._sums} | set(self.heard) | named)
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
        db.executemany(
            "INSERT OR REPLACE INTO charge (scope, name, start, ended, energy_mwh) VALUES (?, ?, ?, ?, ?)",
            [(ids[scope], told.name, told.start, told.end, told.energy_mwh) for scope, told in self._transactions],
        )
        self.people.keep(db, ids)
        self.levels.keep(db, ids)


def scope_ids(db: sqlite3.Connection, texts: Iterable[str]) -> dict[str, int]:
    """Inside a transaction: the numbers of these scopes, given to what has none."""
    names = sorted(texts)
    db.executemany("INSERT OR IGNORE INTO scope (text) VALUES (?)", [(text,) for text in names])
    find = "SELECT id FROM scope WHERE text = ?"
    return {text: db.execute(find, (text,)).fetchone()[0] for text in names}


def _last_id(folder: Path) -> int:
    """The newest batch of the journal; 0 where there is none."""
    newest_first = readers(reversed(day_files(folder)))
    return next((last_id for day in newest_first if (last_id := day.last_id())), 0)


def _followed(places: Sequence[Place]) -> dict[bytes, list[TallyOwner]]:
    """By topic the resources whose meter, totals, cards or passages it tells."""
    by_topic: dict[bytes, list[TallyOwner]] = defaultdict(list)
    for kinds in (METERED, COUNTERS, ENTRANCES, UNITS | PEOPLE):
        for topic, owners in _owners(places, kinds, "state").items():
            if len(owners) == 1 and (kinds != UNITS | PEOPLE or may_be_counted(owners[0][1])):
                by_topic[topic] += owners  # the state of a device of several tells nobody's
    for kinds in (COUNTERS, ENTRANCES):
        for topic, owners in _owners(places, kinds, "event").items():
            by_topic[topic].append(owners[-1])
    for topic, owners in _owners(places, METERED, "event").items():
        if len(owners) == 1:
            by_topic[topic] += owners
    return dict(by_topic)


def _owners(
    places: Sequence[Place], kinds: frozenset[str], which: Literal["state", "event"]
) -> dict[bytes, list[TallyOwner]]:
    by_topic: dict[bytes, list[TallyOwner]] = defaultdict(list)
    for place in places:
        for resource in place.resources:
            if resource.kind in kinds:
                by_topic[wire.topic(resource.station, resource.device, which).encode()].append((place, resource))
    return by_topic


def _moment(ts: wire.Time | None, received_at: Millis, flags: int) -> Millis:
    """When a message was true: as it says, where that is believed."""
    told = None if flags & TS_SUSPECT else wire.millis(ts)
    return received_at if told is None else min(told, received_at)
