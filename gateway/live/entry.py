"""What happens at a station, as far as it tells whether one can come in. The verdict is that of `evidence/opening`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from config.kinds import SPECS
from gateway.evidence.facts import Facts
from gateway.evidence.opening import Kept
from gateway.live.places import Station
from gateway.model import Millis, OpeningChange
from gateway.policy.override import Overrides
from gateway.policy.privacy import PERSONAL
from gateway.wire import Event

Opened = Literal["closed", "unproved", "proved", "contradicted"]
"""What history keeps of a station's promise; closed: it promises nothing."""


def entered(facts: Facts, station: Station, now: Millis) -> bool:
    """Take note of what a door or a room has told. True if it bears on the promise. Doubtful sensors prove nothing."""
    known, sign = facts.known, False
    if known.entered_at != facts.entered_at:
        facts.entered_at, sign = known.entered_at, facts.axes.evidence == "live"
    spec = SPECS[facts.resource.kind]
    if spec.entrance and known.moved_at == now:
        station.promise.moved()
    if sign:
        station.promise.sign(now, personal=facts.resource.kind in PERSONAL, inside=not spec.entrance)
    return (spec.entrance and look_at_doors(station, now)) or sign


def carded(station: Station, event: Event, at: Millis, now: Millis) -> None:
    """A reader let somebody in, or did not."""
    if event.granted is False:
        station.promise.refused(str(event.card), min(at, now))
    elif event.granted is True:
        station.promise.granted(min(at, now))


def look_at_doors(station: Station, now: Millis) -> bool:
    """Take note of whether all live doors say closed and locked, and no reader lives: by it who has a card comes in.
    A door that locks itself has one, though nobody told us. One that has gone silent since it was last seen open or
    unlocked may be so still, and what was said before nobody watched for a while may be over.

    True if that is news.
    """
    doors = [facts for facts in station.facts() if SPECS[facts.resource.kind].entrance]
    doors = [door for door in doors if door.axes.lifecycle == "active"]
    live = [door for door in doors if door.axes.evidence == "live"]
    since = station.promise.watched_since
    heard = all(_heard_since(door, since) for door in live)
    shut = bool(live) and heard and not any(_lets_in(door) for door in doors)
    return station.promise.shut(shut, now)


def _heard_since(door: Facts, since: Millis) -> bool:
    """Whether it said something from then on, be it that it lives."""
    fresh = door.fresh
    if (fresh.observed_at or 0) >= since or fresh.valid_until is None:
        return True
    return fresh.on_change and fresh.valid_until > since + fresh.ttl_ms


def _lets_in(door: Facts) -> bool:
    """A reader that is a device of its own and tells nothing but cards lives from the first on that it granted, until
    its device says goodbye: it has no value that could run out.
    """
    known, fresh = door.known, door.fresh
    if not fresh.heard:
        return known.reads_cards and known.seen_at is not None and fresh.offline_at is None
    if known.status != "locked":
        return True
    return door.axes.evidence == "live" and (known.reads_cards or known.locks_itself)


def kept(station: Station) -> Opened:
    return station.judged.proof if station.access == "open" else "closed"


class OpeningHistory:
    """What history keeps of the stations' promises: `changes` collect since the caller last took them."""

    def __init__(self, overrides: Overrides) -> None:
        self.changes: list[OpeningChange] = []
        self._overrides = overrides
        self._blind_until: dict[str, Millis] = {}  # by station: of the time before nobody saw more than its hours

    def take(self) -> list[OpeningChange]:
        changes, self.changes = self.changes, []
        return changes

    def note(self, station: Station, at: Millis, state: Opened) -> None:
        if state != station.opening_kept:
            station.opening_kept = state
            if self._blind_until:
                at = max(at, self._blind_until.get(station.id, at))
            why = station.judged.why if state == "contradicted" else None
            self.changes.append(OpeningChange(station.id, at, state, why))

    def take_up(self, stations: Iterable[Station], last: Mapping[str, OpeningChange]) -> None:
        """At a start, before the journal is replayed: `last` is what history has last of each station."""
        for station in stations:
            station.promise.taken_up()
            station.opening_kept = last[station.id].state if station.id in last else ""

    def put_back(self, station: Station, promise: Kept, at: Millis, now: Millis) -> None:
        """What was kept of it at `at`, before what the journal has from later. It may have opened since."""
        station.promise.restore(promise)
        for when, state in self._hours(station, at, now):
            if state == "closed":
                station.promise.closes()
            else:
                station.promise.opens(when)

    def resume(self, stations: Iterable[Station], alive_at: Mapping[Station, Millis], now: Millis) -> None:
        """After it: what was proved before a closing is over. `alive_at`: since when nobody watched a station, so of
        that time only what its hours promised is known; it is missing where the stop was too short to count.
        """
        self._blind_until = {station.id: now for station in alive_at}
        for station in stations:
            if station in alive_at:
                station.promise.watched(now)
            for at, state in self._hours(station, alive_at.get(station, now), now):
                if state != station.opening_kept:
                    station.opening_kept = state
                    self.changes.append(OpeningChange(station.id, at, state))
            sign_at = station.promise.sign_at
            if sign_at is not None and any(state == "closed" for _, state in self._hours(station, sign_at, now)):
                station.promise.closes()

    def _hours(self, station: Station, at: Millis, now: Millis) -> Iterator[tuple[Millis, Opened]]:
        """What the station promised from `at` to `now` by its hours and by hand, as far as nobody saw more."""
        while at < now:
            access, until = station.opening.at(at)
            by_hand, hand_until = self._overrides.station_access(station.id, at, access)
            yield at, "unproved" if (by_hand or access) == "open" else "closed"
            ends = [end for end in (until, hand_until, now) if end is not None]
            at = max(min(ends), at + 1)
