"""What is true now. Facts change by messages and by deadlines; every visible flip becomes a `Change`."""

from collections import defaultdict
from typing import Any

from msgspec import UNSET

from config.kinds import SPECS
from gateway.base.mishaps import Mishaps
from gateway.evidence.boxes import Boxes
from gateway.evidence.checks import CheckState
from gateway.evidence.contradiction import GROUP_MAX, NEVER_AGAIN, join, look, told_otherwise
from gateway.evidence.facts import Facts, evidence_of, shift
from gateway.kinds.known import Counters, common
from gateway.live.alarms import Alarms
from gateway.live.axes import axes_shown
from gateway.live.booking import book, rooms
from gateway.live.box_lines import BoxLine, BoxLines
from gateway.live.checks import Rounds
from gateway.live.entry import OpeningHistory, carded, entered, kept, look_at_doors
from gateway.live.held import HeldActivities
from gateway.live.places import Area, Device, Station, name_of
from gateway.live.repeats import Repeats
from gateway.model import Axes, Change, Millis
from gateway.policy.activities import Agenda
from gateway.policy.override import NOTHING, Override, Overrides, OverrideTarget
from gateway.wire import Event

SEEN_OPEN = ("open", "free", "busy")  # who says so is there
BEFORE_USE = ("free", "away", "reserved")
TRY_AGAIN_MS = 10_000  # a deadline that failed
RENEW_SHARE = 0.45  # of the shortest ttl: then a document is made again although nothing changed


class Live:
    """All stations of this gateway. `changes` and `news` collect since the caller last took them."""

    def __init__(self) -> None:
        self.stations: dict[str, Station] = {}
        self.devices: dict[tuple[str, str], Device] = {}
        self.alarms = Alarms()
        self.changes: list[Change] = []
        self.news: set[Facts] = set()  # said something that alerts look at
        self.dirty: list[Station] = []
        self.overrides = Overrides()
        self.openings = OpeningHistory(self.overrides)
        self.activities = HeldActivities()
        self.counters = Counters()
        self.boxes = Boxes()
        self.mishaps = Mishaps()
        self.rounds = Rounds(self.alarms, self.settle, self._judge, self.touch)
        self.box_lines = BoxLines(self.boxes, self.stations, self.alarms, self.settle)
        self.repeats = Repeats(self.stations, self.touch).take
        self.grace_until: Millis = 0  # before it a goodbye waits: after a start everybody's will goes round

    # ---- building ----

    def add_station(self, station: Station, now: Millis) -> None:
        self.stations[station.id] = station
        groups: dict[tuple[str, str | None], list[Facts]] = defaultdict(list)
        around = station.facts()
        for facts in around:
            facts.known.count_in(self.counters)
            group = groups[facts.resource.kind, facts.resource.type]
            if len(group) < GROUP_MAX:
                group.append(facts)
            join(facts, around, group)
        for area in station.areas:
            area.station = station
        self.rounds.set_alarms(station)
        self.open_or_close(station, now)
        self.touch(station)

    def restored(self, now: Millis) -> None:
        """After facts were loaded: what ran out meanwhile is stale since then, before all that follows from now."""
        for station in self.stations.values():
            for facts in station.facts():
                with self.mishaps.contained("taking up a resource", station.id):
                    self._run_out(facts, now)
            with self.mishaps.contained(f"taking up {station.id}", station.id):
                self.open_or_close(station, now, "restart")

    def _run_out(self, facts: Facts, now: Millis) -> None:
        fresh = facts.fresh
        if fresh.heard and fresh.offline_at is None and fresh.valid_until is not None and fresh.valid_until < now:
            self.settle(facts, fresh.valid_until, "restart")

    # ---- messages ----

    def observe(self, device: Device, signals: Any, observed_at: Millis, now: Millis) -> None:
        """A fresh message of a device: newer than all before it."""
        device.seen_at = now
        for facts in device.facts:
            said = signals.battery_pct is not UNSET or signals.fault is not UNSET
            known, kind = facts.known, facts.kind
            if (said and common(known, signals)) or kind.WATCHED:
                self.news.add(facts)
            if kind.apply(known, signals, now):
                facts.fresh.told(observed_at)
            else:
                facts.fresh.alive(observed_at, now)
            self.settle(facts, now, "message")
            if facts.sees_entry:
                self._entered(facts, now)
            if now >= facts.renew_at:
                self.touch(self.stations[facts.resource.station])

    def remember(self, device: Device, signals: Any, observed_at: Millis | None, now: Millis) -> None:
        """A retained message: it restores a value that we did not have, never its freshness."""
        for facts in device.facts:
            if facts.fresh.heard:
                continue
            if common(facts.known, signals) or facts.kind.WATCHED:
                self.news.add(facts)
            if facts.kind.apply(facts.known, signals, now):
                facts.fresh.recalled(observed_at)
            self.settle(facts, now, "retained")

    def heartbeat(self, device: Device, now: Millis) -> None:
        """A sign of life without a value: it keeps values of on-change reporters good."""
        device.seen_at = now
        for facts in device.facts:
            facts.fresh.alive(now, now)
            self.settle(facts, now, "heartbeat")
            if now >= facts.renew_at:
                self.touch(self.stations[facts.resource.station])

    def happened(self, device: Device, event: Event, observed_at: Millis, now: Millis) -> None:
        """A fresh event: a sign of life, and for some kinds a value."""
        for facts in device.facts:
            if facts.kind.event(facts.known, event, now):
                facts.fresh.told(observed_at)
        self.heartbeat(device, now)
        for facts in device.facts:
            if facts.sees_entry:
                self._entered(facts, now)
        if event.type == "card" and device.facts:
            station = self.stations[device.station]
            carded(station, event, observed_at, now)
            look_at_doors(station, now)
            self._judge(station, now)

    def unreadable(self, device: Device, now: Millis) -> None:
        """The device told its value, and nobody can read it: what we had is no longer to be trusted."""
        for facts in device.facts:
            if facts.fresh.heard and not facts.fresh.unreadable:
                facts.fresh.lost()
                self.settle(facts, now, "unreadable")

    def availability(self, device: Device, online: bool, retained: bool, now: Millis) -> None:
        """The device, or its last will, says whether it is there. Only a hint: fresh data outranks it."""
        device.online = online
        if online and not retained:
            self.heartbeat(device, now)
            return
        for facts in device.facts:
            if not online:
                facts.fresh.gone(max(now, self.grace_until))
            elif facts.fresh.offline_at is not None:
                facts.fresh.alive(facts.fresh.observed_at or 0, now)
            self.settle(facts, now, "availability")

    # ---- time ----

    def tick(self, now: Millis, most: int = 10_000) -> None:
        """Let every deadline up to `now` fire, at most `most` of them."""
        for _ in range(most):
            owner = self.alarms.pop_due(now)
            if owner is None:
                return
            try:
                self._due(owner, now)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self.alarms.set(owner, now + TRY_AGAIN_MS)
                self.mishaps.note(f"deadline of {name_of(owner)}", error, name_of(owner).split("/")[0])

    def _due(self, owner: object, now: Millis) -> None:
        if isinstance(owner, Facts):
            self.settle(owner, now, "time")
            if owner.sees_entry:  # what its door told may be no longer good
                self._entered(owner, now)
            if owner.known.public is not None or owner.known.measured is not None:
                self.touch(self.stations[owner.resource.station])
        elif isinstance(owner, Station):
            self._station_due(owner, now)
        elif isinstance(owner, Area):
            self._book(owner, now)
        elif isinstance(owner, CheckState):
            self.rounds.look(self.stations[owner.station], owner, now)
        elif isinstance(owner, BoxLine):
            self.box_lines.look(owner, now)

    def next_deadline(self) -> Millis | None:
        return self.alarms.next()

    def shift(self, by: Millis, now: Millis) -> None:
        """The clock was set by `by` ms and is `now`: ages stay what they were."""
        self.alarms.shift(by)
        self.grace_until += by
        for station in self.stations.values():
            station.made_at += by
            station.promise.shift(by)
            self.rounds.set_alarms(station)
            for facts in station.facts():
                shift(facts, by)
            self.open_or_close(station, now)
            for area in station.areas:
                self._book(area, now)
            self.touch(station)

    def _station_due(self, station: Station, now: Millis) -> None:
        if station.recheck_at is not None and now >= station.recheck_at:
            self.overrides.expire(now)
            self.open_or_close(station, now)
        if station.judged.look_at is not None and now >= station.judged.look_at:
            self._judge(station, now)
        if station.untold or now >= self._renewal(station):
            self.touch(station)
        self._schedule(station)

    # ---- deciding ----

    def programme(self, station: str, area: str, agenda: Agenda, now: Millis) -> None:
        """The calendar of an area has changed; unknown places are ignored."""
        for known in self.stations[station].areas if station in self.stations else ():
            if known.id == area:
                self.activities.leave(known, agenda, now)
                known.agenda = agenda
                self._book(known, now)

    def _book(self, area: Area, now: Millis) -> None:
        self.activities.look(area, now)
        self.alarms.set(area, book(area, now))
        for facts in rooms(area):
            self.settle(facts, now, "activity")
        if area.station is not None:
            self.touch(area.station)

    def set_by_hand(
        self, target: OverrideTarget, override: Override | None, now: Millis, *, partner: bool = False
    ) -> bool:
        """Put what people say above what sensors say, or take it back. False if there is no such place."""
        station = self.stations.get(target.station)
        if station is None or not station.has(target):
            return False
        if override is None:
            self.overrides.clear(target, partner=partner)
        else:
            self.overrides.put(target, override)
        self.open_or_close(station, now)
        if override is not None and override.status in SEEN_OPEN:
            station.promise.sign(now, personal=False)
            self._judge(station, now)
        self.touch(station)
        return True

    def open_or_close(self, station: Station, now: Millis, cause: str = "hours") -> None:
        """Ask the opening hours and what is set by hand, and carry the answer to every resource."""
        before = station.access, station.access_until
        access, until = station.opening.at(now)
        by_hand, hand_until = self.overrides.station_access(station.id, now, access)
        station.access = by_hand or access
        station.access_until = until if by_hand is None else hand_until
        recheck = _sooner(until, hand_until)
        if station.access == "open":
            station.promise.opens(now)
        else:
            station.promise.closes()
        self._judge(station, now)
        for area in station.areas:
            area_access, area_until = (access, until) if area.opening is None else area.opening.at(now)
            recheck = _sooner(recheck, area_until)
            for facts in area.facts:
                effect = self.overrides.effect(station.id, area.id, facts.resource.id, now)
                facts.effect = None if effect is NOTHING else effect
                facts.access = area_access
                facts.holds_until = _sooner(area_until, effect.until)
                recheck = _sooner(recheck, effect.until)
                self.settle(facts, now, cause if effect is NOTHING else "override")
        station.recheck_at = recheck
        self._schedule(station)
        if before != (station.access, station.access_until):
            self.touch(station)

    def _entered(self, facts: Facts, now: Millis) -> None:
        station = self.stations[facts.resource.station]
        if entered(facts, station, now):
            self._judge(station, now)

    def _judge(self, station: Station, now: Millis) -> None:
        """Whether one can come in, as promised; where not, nothing inside is usable for certain."""
        before, station.judged = station.judged, station.promise.at(now)
        self.openings.note(station, now, kept(station))
        barred = station.judged.proof == "contradicted"
        if barred is not (before.proof == "contradicted"):
            for facts in station.facts():
                facts.barred = barred
                self.settle(facts, now, "not_enterable")
        if station.judged.public != before.public:  # what tells of persons has no document made
            self.touch(station)
        self._schedule(station)

    def settle(self, facts: Facts, now: Millis, cause: str) -> None:
        """Work out the axes; if they differ from what was shown, that is a change. Sets the next alarm."""
        known, doubt = facts.known, facts.doubt
        timer = facts.kind.due(known, now)
        if facts.fresh.heard:
            if (
                now >= doubt.look_at
                or known.use is not doubt.was
                or (known.power_w is not None and told_otherwise(facts))
            ):
                before = doubt.verdict
                look(facts, now)
                if doubt.verdict != before:
                    self.news.add(facts)
            if doubt.look_at != NEVER_AGAIN and (timer is None or doubt.look_at < timer):
                timer = doubt.look_at
        evidence, until = evidence_of(facts, now)
        axes = axes_shown(facts, evidence, now)
        if axes is not facts.axes:
            if axes.health == "fault" and known.health != "fault":
                cause = "check"
            self.changes.append(Change(facts.resource, now, facts.axes, axes, cause, known.trouble))
            if axes.evidence != "live":
                facts.watched_since = None
            elif facts.watched_since is None:
                facts.watched_since = now
            before_axes, facts.axes, facts.since = facts.axes, axes, now
            self.touch(self.stations[facts.resource.station])
            self._follow(facts, before_axes, cause, now)
        if until is not None and (timer is None or until < timer):
            timer = until
        if timer is not None and (facts.alarm is None or timer < facts.alarm):
            self.alarms.set(facts, timer)

    def _follow(self, facts: Facts, before: Axes, cause: str, now: Millis) -> None:
        """What else follows from a change of what is shown."""
        axes = facts.axes
        if axes.evidence != before.evidence:
            self.news.add(facts)
            if SPECS[facts.resource.kind].entrance:
                station = self.stations[facts.resource.station]
                look_at_doors(station, now)
                self._judge(station, now)
        elif cause == "message" and facts.proves_entry and axes.use == "occupied" and before.use in BEFORE_USE:
            station = self.stations[facts.resource.station]
            station.promise.sign(now, personal=False, inside=True)
            if not station.judged.proof == station.judged.public == "proved":
                self._judge(station, now)

    # ---- documents ----

    def touch(self, station: Station) -> None:
        """The station's document must be made again."""
        if not station.dirty:
            station.dirty = True
            self.dirty.append(station)

    def made(self, station: Station, now: Millis) -> None:
        """Its document has just been made and is on its way."""
        station.dirty = station.untold = False
        station.made_at = now
        self._schedule(station)

    def tell_again(self, station: Station, now: Millis) -> None:
        """Its document failed on the way to somebody: another one is made in a while."""
        station.untold = True
        self.alarms.set(station, now + TRY_AGAIN_MS)

    def _renewal(self, station: Station) -> float:
        ttls = [
            facts.fresh.ttl_ms
            for area in station.areas
            for facts in area.facts
            if facts.axes.evidence == "live" and not (facts.checks and facts.checked)
        ]
        return station.made_at + min(ttls) * RENEW_SHARE if ttls else float("inf")

    def _schedule(self, station: Station) -> None:
        when = _sooner(station.recheck_at, station.judged.look_at)
        if not station.dirty:  # else `made` comes and schedules the next renewal
            renewal = self._renewal(station)
            if renewal != float("inf") and (when is None or renewal < when):
                when = int(renewal)
        self.alarms.set(station, when)


def _sooner(moment: Millis | None, other: Millis | None) -> Millis | None:
    if moment is None or other is None:
        return other if moment is None else moment
    return min(moment, other)
