"""The demo's past: a week through the real core, alert side and store, under a virtual clock.

It is made in two parts. What still goes on when the demo begins (a pile out of order, an order in course, the words of
a visitor) is made at once, in the store that the gateway then opens. All else is made by a second process while the
gateway works, in a folder beside that store, as a gateway of another number of shards would have left it there: so
nobody else ever writes into the gateway's store, and readers find the whole week once the folder gets its name.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from api.commands import demo_people as people_of
from api.commands.demo_people import People
from config.schema import Settings
from firmware_bridge.emulator import bookings, troubles
from firmware_bridge.emulator.configured import town_of
from firmware_bridge.emulator.faults import Misbehaviour, garbage
from firmware_bridge.emulator.ocpp.park import STATION as PARK
from firmware_bridge.emulator.ocpp.park import bridge_section, park_station
from firmware_bridge.emulator.stations import NO_DEVICE, demo_stations, locked_station, shared_station
from firmware_bridge.emulator.things import CHAINED
from firmware_bridge.emulator.town import Town
from firmware_bridge.emulator.troubles import DAYS, HANDED_OVER_H, STANDING, DeviceSaid, Week
from gateway.alerting import Ourselves
from gateway.alerting.deeds import Deed
from gateway.alerts.words import AlertEvent
from gateway.base.local_time import DAY_MS, QUARTER_MS, day_start
from gateway.evidence.checks import CheckReport, encode_command
from gateway.model import Millis
from gateway.policy.activities import Activity, Agenda
from gateway.policy.override import Command, Override
from gateway.policy.override import encode_command as encode_override
from gateway.runtime.virtual import VirtualGateway

MINUTE_MS = 60_000
ON_THE_WAY_MS = 300
FOLDER, MAKING = "past", "past-in-the-making"
TTL_S = 1_800
KEY = b"the-demo-signs-its-own-past-with-this"
"""Only the past's own commands are signed with it, under the virtual clock; no process takes any."""
LOOKS_EVERY_MS = 2 * MINUTE_MS
WALL = "hall-wall"
CALENDAR = "meeting-room.ics"
LONG_LIVED = ("counter", "climate", "hazard", "safety", "supply")  # they are trusted for an hour and more anyway
WHOLLY_STANDING = ("chained", "teahouse", PARK)
FINE = Ourselves()
ON_ALERTS = ("acknowledge", "comment", "close", "mute")  # whoever sees that it is over does nothing

StationLines = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What demo: the folder, how many stations, the seed, and when it began first."""

    data: Path
    stations: int
    seed: int
    now: Millis

    @property
    def week(self) -> Week:
        return Week(day_start(self.now, ZoneInfo("Asia/Shanghai")) - DAYS * DAY_MS, self.now)


def stations_of(plan: Plan) -> list[StationLines]:
    """All but the station of foreign dialects. Sensors are trusted for half an hour, as those on batteries must be."""
    stations = demo_stations(plan.stations, plan.seed)
    stations[0] = {**stations[0], "areas": [*stations[0]["areas"], _bookable(plan)]}
    if plan.stations > 1:
        stations += [locked_station(), shared_station(), park_station()]
    return [_mapped(station, _unhurried) for station in stations]


def _bookable(plan: Plan) -> Mapping[str, Any]:
    """With a file of what is booked from the demo's first day on: what came of the bookings before, its past tells."""
    plan.data.mkdir(0o700, parents=True, exist_ok=True)
    file = plan.data / CALENDAR
    file.write_text(
        bookings.calendar_text(booking for booking in bookings.bookings(plan.week) if booking.end > plan.now),
        encoding="utf-8",
    )
    return {**bookings.bookable_area(), "calendar": [str(file)]}


def _mapped(station: StationLines, change: Callable[[str, StationLines], StationLines | None]) -> StationLines:
    """Each of its things changed, or left out where there is nothing left of it."""
    areas = []
    for area in station["areas"]:
        things = [change(station["id"], thing) for thing in area["resources"]]
        areas.append({**area, "resources": [thing for thing in things if thing is not None]})
    return {**station, "areas": areas}


def _unhurried(_station: str, thing: StationLines) -> StationLines:
    return thing if thing["kind"] in LONG_LIVED else {**thing, "ttl": TTL_S}


# ---- what still goes on ----


def make_present(plan: Plan) -> list[str]:
    """What goes on when the demo begins, in its own store, which nobody has opened yet. See `_Life.refused`."""
    week = plan.week
    handed_over = week.ago(HANDED_OVER_H)
    settings = _settings(plan, _those(plan, _standing), bridged=True)
    spells = [*troubles.standing_troubles(week), *troubles.shut_out(week)]
    people = People(people_of.STANDING_ANSWERS, plan.seed, _during(spells))
    life = _Life(plan, people, _town(plan, settings, handed_over, spells, troubles.standing_events(week)))
    here = {station.id for station in settings.stations}
    life.words = [said for said in people_of.standing_words(week) if said.station in here]
    life.rounds = [made for made in people_of.rounds(week) if made.at >= handed_over and made.station in here]
    life.moves_in(settings, plan.data, handed_over)
    life.run(week.now)
    life.gateway.end(week.now, tidy=False)
    return life.refused()


def make_past(plan: Plan) -> list[str]:
    """All else, in a folder of its own, which gets its name when it is whole. See `_Life.refused`."""
    week, folder = plan.week, plan.data / MAKING / FOLDER
    handed_over = week.ago(HANDED_OVER_H)
    shutil.rmtree(plan.data / MAKING, ignore_errors=True)
    settings, left = _settings(plan, _those(plan, _all), bridged=True), _settings(plan, _those(plan, _over))
    devices = [item.device_id for station, _, item in settings.resources() if station.id == "shekou"]
    spells = [*troubles.past_troubles(week, {"shekou": devices}), *troubles.shut_out(week)]
    spells += [*troubles.park_without_power(week), *bookings.came(week)]
    people = People(people_of.PAST_ANSWERS, plan.seed + 1, _during(spells))
    life = _Life(plan, people, _town(plan, settings, week.midnight, spells, troubles.past_events(week)))
    here = {station.id for station in settings.stations}
    life.words = [said for said in people_of.past_words(week) if said.station in here]
    life.by_hand = [word for word in people_of.set_by_hand(week) if word.station in here]
    life.rounds = [made for made in people_of.rounds(week) if made.at < handed_over and made.station in here]
    life.wall = life.outages = True
    life.moves_in(settings, folder, week.midnight)
    life.run(handed_over)
    life.gateway.end(handed_over, tidy=False)
    life.moves_in(left, folder, handed_over, again=True)
    life.run(week.now)
    life.close_what_is_open()
    life.gateway.end(week.now, tidy=True)
    folder.rename(plan.data / FOLDER)
    folder.parent.rmdir()
    return life.refused()


def _those(plan: Plan, which: Callable[[str, StationLines], StationLines | None]) -> list[StationLines]:
    """The stations that have lived, with those things that a gateway looks after; those without any are none."""
    lived = {*STANDING, *WHOLLY_STANDING}
    stations = [_mapped(station, which) for station in stations_of(plan) if station["id"] in lived]
    return [station for station in stations if which is not _over or station["id"] in STANDING]


def _all(station: str, thing: StationLines) -> StationLines | None:
    """Under the virtual clock no pile dials in: its connectors speak for themselves, and doors are chained by day."""
    features = [feature for feature in thing.get("features", ()) if feature != CHAINED]
    if station == PARK:
        features.remove(NO_DEVICE)
    return {**thing, "features": features}


def _standing(station: str, thing: StationLines) -> StationLines | None:
    mine = station not in STANDING or thing["id"] in STANDING[station]
    return _all(station, thing) if mine else None


def _over(station: str, thing: StationLines) -> StationLines | None:
    return None if station not in STANDING or thing["id"] in STANDING[station] else thing


def _settings(plan: Plan, stations: Sequence[StationLines], *, bridged: bool = False) -> Settings:
    """What the core must know of them: no calendars, which are handed in, and no secrets, which nobody asks for."""
    bare = [
        {
            **{name: value for name, value in station.items() if name != "checks_token_file"},
            "areas": [{name: value for name, value in area.items() if name != "calendar"} for area in station["areas"]],
        }
        for station in stations
    ]
    bridge = {"bridge": bridge_section(plan.data)} if bridged and any(station["id"] == PARK for station in bare) else {}
    return Settings.model_validate(
        {**bridge, "mqtt": {"url": "mqtt://127.0.0.1"}, "store": {"path": plan.data}, "stations": bare}
    )


def _during(spells: Iterable[Misbehaviour]) -> dict[str, tuple[Millis, Millis]]:
    """From when until when each device has troubles that anybody acts upon."""
    during: dict[str, tuple[Millis, Millis]] = {}
    for spell in spells:
        place = f"{spell.station}/{spell.device}"
        first, last = during.get(place, (spell.begins, spell.ends))
        during[place] = min(spell.begins, first), max(spell.ends, last)
    return during


def _town(
    plan: Plan, settings: Settings, begins: Millis, spells: Iterable[Misbehaviour], events: Iterable[DeviceSaid]
) -> Town:
    town = town_of(settings, begins, seed=plan.seed, sparing=True)
    for spell in spells:
        town.inject(spell)
    for event in events:
        town.happens(event.at, event.station, event.device, event.fields)
    return town


def _agenda(week: Week) -> Agenda:
    return Agenda(
        Activity(booking.start, booking.end, booking.uid, booking.title, True) for booking in bookings.bookings(week)
    )


class _Life:
    """A town, its people and a gateway under one virtual clock. `gateway` is there from `moves_in` on."""

    gateway: VirtualGateway

    def __init__(self, plan: Plan, people: People, town: Town) -> None:
        self.week, self.people, self.town = plan.week, people, town
        self.words: Sequence[people_of.VisitorSaid] = ()
        self.rounds: Sequence[people_of.RoundMade] = ()
        self.by_hand: Sequence[people_of.SetByHand] = ()
        self.wall = self.outages = False
        self._asked: list[tuple[Deed, Future[list[AlertEvent]]]] = []
        self._rng = Random(plan.seed)  # noqa: S311

    def moves_in(self, settings: Settings, folder: Path, at: Millis, *, again: bool = False) -> None:
        """From now on this gateway looks after the stations of `settings`."""
        self.gateway = VirtualGateway(settings, folder, at, KEY, again=again)
        self.gateway.alerting.dispatch.listeners.append(self.people.heard)
        for station, _, item in settings.resources():
            if (station.id, item.id) == (bookings.STATION, bookings.ROOM):
                self.gateway.programme(station.id, bookings.AREA, _agenda(self.week))

    def run(self, end: Millis) -> None:
        now = self.gateway.now
        while now < end:
            before, now = now, min(self._next(now), end)
            self._broken(now)
            if self.gateway.ourselves == FINE:
                self._messages(now)
            self._people(before, now)
            self._turn(now)

    def _next(self, now: Millis) -> Millis:
        """The end of the next minute in which anything is due; people look up four times an hour."""
        due = self.gateway.next_due()
        until = min(self.town.next_due(), now + QUARTER_MS, *([due] if due is not None else []))
        return now + max(1, -((now - until) // MINUTE_MS)) * MINUTE_MS

    def _broken(self, now: Millis) -> None:
        """The broker and the disk are away for some minutes each; devices keep what they have to say."""
        week, ourselves = self.week, FINE
        if self.outages and week.at(4, 22.1) <= now < week.at(4, 22.25):
            ourselves = Ourselves(broker="no answer from 127.0.0.1:1883")
        elif self.outages and week.at(1, 3.5) <= now < week.at(1, 3.6):
            ourselves = Ourselves(store="disk I/O error")
        elif self.outages and week.at(0, 16) <= now < week.at(0, 16.1):
            ourselves = Ourselves(duplicate="another gateway uses the client id yizhan")
        self.gateway.ourselves = ourselves

    def _messages(self, now: Millis) -> None:
        while (due := self.town.next_due()) <= now:
            at = max(self.gateway.now, min(due + ON_THE_WAY_MS, now))
            mine, messages = self.gateway.live.devices, self.town.step(at)
            frames = [
                (message.topic.encode(), message.payload, 0)
                for message in messages
                if (message.station, message.device) in mine
            ]
            self.gateway.take(frames, at)
        if self.outages and self.week.at(6, 15) <= now < self.week.at(6, 15.8):
            noise = [(b"yz/xixiang/phone-04/state", garbage(self._rng), 0) for _ in range(3)]
            self.gateway.take(noise, now)

    def _people(self, before: Millis, now: Millis) -> None:
        gateway = self.gateway
        gateway.now = now
        for said in [said for said in self.words if before < said.at <= now]:
            self._do(
                Deed(
                    do="report", by="visitor", nonce=self.people.nonce(), expires=now + MINUTE_MS, sort=said.sort,
                    station=said.station, resource=said.resource, text=said.text,
                )
            )  # fmt: skip
        for made in [made for made in self.rounds if before < made.at <= now]:
            self._checked(made, now)
        for word in [by_hand for by_hand in self.by_hand if before < by_hand.at <= now]:
            self._set_by_hand(word, now)
        for deed in self.people.deeds(now):
            over = deed.do in ON_ALERTS and gateway.alerting.core.desk.find(deed.target) is None
            if not over:
                self._do(deed)
        missing = self.week.at(3, 1) <= now < self.week.at(3, 6)
        if self.wall and not missing and now % LOOKS_EVERY_MS < MINUTE_MS:
            gateway.alerting.watch.screen(WALL, bookings.STATION, now)

    def _do(self, deed: Deed) -> None:
        self._asked.append((deed, self.gateway.do(deed)))

    def refused(self) -> list[str]:
        """What people did in vain; a past in which they do is told wrongly."""
        errors = [(deed, asked.exception()) for deed, asked in self._asked if asked.done()]
        return [f"{deed.do} {deed.target or deed.station}: {error!r}" for deed, error in errors if error is not None]

    def _checked(self, made: people_of.RoundMade, now: Millis) -> None:
        name = self.people.nonce()
        uuid = "-".join((name[:8], name[8:12], name[12:16], name[16:20], name[20:32]))
        report = CheckReport(id=uuid, check=made.check, ts=made.at, result=made.result, note=made.note, by="link")
        text = encode_command(name, now + MINUTE_MS, report)
        self.gateway.command(f"yz-cmd/{made.station}/check", text)

    def _set_by_hand(self, word: people_of.SetByHand, now: Millis) -> None:
        said = Override(word.status, word.until, people_of.DUTY, word.note)
        nonce, ends = self.people.nonce(), now + MINUTE_MS
        command = Command(nonce, ends, people_of.DUTY, resource=word.resource, override=said)
        self.gateway.command(f"yz-cmd/{word.station}/override", encode_override(command))

    def _turn(self, now: Millis) -> None:
        outcome = self.gateway.turn(now)
        for device in outcome.heard if outcome is not None else ():
            device.owed = False
            boot, upto = device.seen.boot, device.seen.upto()
            if boot is not None and upto is not None:
                self.town.acked(device.station, device.id, boot, upto)

    def close_what_is_open(self) -> None:
        """From now on another gateway looks after it: what still is so it finds for itself."""
        desk = self.gateway.alerting.core.desk
        for alert in desk.open_alerts():
            nonce, now = self.people.nonce(), self.week.now
            self.gateway.do(Deed(do="close", by=people_of.DUTY, nonce=nonce, expires=now + 1, target=alert.id))
        self.gateway.turn(self.week.now)


def main() -> None:
    """The process that makes the past: its one argument is the plan as JSON."""
    words = json.loads(sys.argv[1])
    make_past(Plan(**(words | {"data": Path(words["data"])})))


if __name__ == "__main__":
    main()
