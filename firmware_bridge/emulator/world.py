"""One station's hidden world: people who come, sit, plug in, heat a meal and leave, so that all its things agree.

No I/O and no clock: everything happens through the agenda, in seconds of local time.
"""

from collections.abc import Callable, Sequence
from random import Random

from firmware_bridge.emulator.agenda import CallQueue
from firmware_bridge.emulator.charging import Charging
from firmware_bridge.emulator.day import CLASS_HOURS, DAY_S, HOUR_S, candidate_s, comes, stay_s
from firmware_bridge.emulator.instruments import AtRest, VirtualCounter
from firmware_bridge.emulator.things import (
    CHAINED,
    READER,
    THINGS,
    Appliance,
    Charger,
    Room,
    Safety,
    Seat,
    Thing,
    Units,
    VirtualDoor,
)
from gateway.model import Resource, Signal

RUN_S = {"microwave": (90.0, 240.0), "water": (20.0, 60.0), "massage": (600.0, 1200.0)}
HABITS = (("microwave", 0.3), ("water", 0.5), ("massage", 0.12))

DOOR_OPEN_S = 6.0


class Visitor:
    """Somebody inside, and what they hold."""

    __slots__ = ("bike", "card", "parking", "phone", "room", "seat")

    def __init__(self, card: str) -> None:
        self.card = card
        self.seat: Seat | None = None
        self.room: Room | None = None
        self.phone: Charger | None = None
        self.bike: Charger | None = None
        self.parking: Units | None = None


class World:
    """`changed(at, thing)` is called whenever a sensor would notice; `swiped(at, door, fields)` on a card.

    Invariant: people inside = seats taken + people in rooms + `standing`.
    """

    def __init__(
        self,
        resources: Sequence[Resource],
        agenda: CallQueue,
        rng: Random,
        changed: Callable[[float, Thing], None],
        swiped: Callable[[float, VirtualDoor, dict[str, Signal]], None],
    ) -> None:
        self._agenda, self._rng, self._changed, self._swiped = agenda, rng, changed, swiped
        self.things = [THINGS.get(resource.kind, AtRest)(resource, rng) for resource in resources]
        self._seats = [thing for thing in self.things if isinstance(thing, Seat)]
        self._rooms = [thing for thing in self.things if isinstance(thing, Room)]
        doors = [thing for thing in self.things if isinstance(thing, VirtualDoor)]
        self._doors = [door for door in doors if CHAINED not in door.resource.features]
        self._counters = [thing for thing in self.things if isinstance(thing, VirtualCounter)]
        self._lockers = [thing for thing in self.things if isinstance(thing, Units) and thing.resource.kind == "locker"]
        self._parking = [
            thing for thing in self.things if isinstance(thing, Units) and thing.resource.kind == "parking"
        ]
        self._appliances = [thing for thing in self.things if isinstance(thing, Appliance)]
        self._safety = [thing for thing in self.things if isinstance(thing, Safety)]
        chargers = [thing for thing in self.things if isinstance(thing, Charger)]
        self._charging = Charging(chargers, agenda, rng, changed)
        self.people = 0
        self.standing = 0

    # ---- the day's plan

    def begin(self, at: float) -> None:
        """Start an empty station at `at`; run the agenda for two hours or so to find it in use."""
        for units in (*self._lockers, *self._parking):
            units.taken = self._rng.randrange(units.total // 2 + 1)
        self._next_courier(at)
        self._charging.begin(at)
        self._plan_day(at, None)

    def _plan_day(self, at: float, _: None) -> None:
        """Today's classes and cars from `at` on, and tomorrow's plan at midnight."""
        rng, midnight = self._rng, at - at % DAY_S
        self._agenda.add(midnight + DAY_S, self._plan_day)
        self._charging.plan_day(at)
        for room in self._rooms:
            late_s = rng.choice((0, 900, 1800))  # not every room has the same bell
            for begins, ends in CLASS_HOURS:
                if midnight + begins * HOUR_S >= at and rng.random() < 0.65:
                    self._plan_class(room, midnight + begins * HOUR_S + late_s, midnight + ends * HOUR_S + late_s)
        for item in self._safety:
            if rng.random() < 0.3:
                self._agenda.add(midnight + rng.uniform(8, 18) * HOUR_S, self._check_safety, item)

    def _plan_class(self, room: Room, begins: float, ends: float) -> None:
        rng, places = self._rng, room.resource.capacity or 16
        for _ in range(rng.randint(min(4, places), places)):
            leaves = ends + rng.uniform(0, 300)
            self._agenda.add(begins + rng.uniform(-540, 300), self._join_class, (room, leaves))

    def _next_courier(self, at: float) -> None:
        self._agenda.add(at + candidate_s(self._rng, 1.2 * max(2, len(self._seats))), self._courier)

    # ---- people

    def _courier(self, at: float, _: None) -> None:
        self._next_courier(at)
        if not comes(self._rng, at):
            return
        visitor, leaves = self._enter(at), at + stay_s(self._rng, at)
        self.standing += 1
        if self._rng.random() < 0.3:
            visitor.bike = self._charging.plug_free(at, "ebike")
        if not visitor.bike:
            visitor.parking = self._park(at)
        self._agenda.add(at + self._rng.uniform(15, 50), self._sit, (visitor, leaves))
        self._agenda.add(leaves, self._leave, visitor)

    def _sit(self, at: float, plan: tuple[Visitor, float]) -> None:
        visitor, leaves = plan
        rng = self._rng
        if free := [seat for seat in self._seats if not seat.taken]:
            visitor.seat = rng.choice(free)
            visitor.seat.taken = True
            self.standing -= 1
            self._changed(at, visitor.seat)
        if rng.random() < 0.45:
            visitor.phone = self._charging.plug_free(at, "phone")
        for type_, share in HABITS:
            if rng.random() < share:
                self._agenda.add(at + rng.uniform(0.05, 0.6) * (leaves - at), self._use, type_)
        if self._lockers and rng.random() < 0.3:
            self._agenda.add(at + 20, self._use_locker, rng.choice(self._lockers))

    def _join_class(self, at: float, plan: tuple[Room, float]) -> None:
        visitor = self._enter(at)
        visitor.room, leaves = plan
        visitor.room.people += 1
        self._changed(at, visitor.room)
        self._agenda.add(leaves, self._leave, visitor)

    def _enter(self, at: float) -> Visitor:
        visitor = Visitor(f"{self._rng.getrandbits(64):016x}")
        self.people += 1
        self._swipe(at, visitor, "in")
        return visitor

    def _leave(self, at: float, visitor: Visitor) -> None:
        if visitor.seat:
            visitor.seat.taken = False
            self._changed(at, visitor.seat)
        elif visitor.room:
            visitor.room.people -= 1
            self._changed(at, visitor.room)
        else:
            self.standing -= 1
        for charger in (visitor.phone, visitor.bike):
            if charger:
                self._charging.unplug(at, charger)
        if visitor.parking:
            visitor.parking.taken -= 1
            self._changed(at, visitor.parking)
        self.people -= 1
        self._swipe(at, visitor, "out")

    def _swipe(self, at: float, visitor: Visitor, direction: str) -> None:
        if self._counters:
            counter = self._rng.choice(self._counters)
            counter.passed(inwards=direction == "in")
            self._changed(at, counter)
        if not self._doors:
            return
        door = self._rng.choice(self._doors)
        if READER in door.resource.features:
            if direction == "in" and self._rng.random() < 0.03:  # a worn card: refused once, read at the second try
                self._swiped(at, door, {"card": visitor.card, "granted": False, "direction": direction})
            self._swiped(at, door, {"card": visitor.card, "granted": True, "direction": direction})
        door.held_until = at + DOOR_OPEN_S
        self._agenda.add(door.held_until, self._shut, door)
        if not door.open:
            door.open = True
            self._changed(at, door)

    def _shut(self, at: float, door: VirtualDoor) -> None:
        if at >= door.held_until:
            door.open = False
            self._changed(at, door)

    # ---- things

    def _use(self, at: float, type_: str) -> None:
        for appliance in self._appliances:
            if appliance.resource.type == type_ and not appliance.running:
                appliance.running = True
                self._changed(at, appliance)
                self._agenda.add(at + self._rng.uniform(*RUN_S[type_]), self._finish_use, appliance)
                return

    def _finish_use(self, at: float, appliance: Appliance) -> None:
        appliance.running = False
        self._changed(at, appliance)

    def _use_locker(self, at: float, locker: Units) -> None:
        step = 1 if self._rng.random() > locker.taken / locker.total else -1
        if 0 <= locker.taken + step <= locker.total:
            locker.taken += step
            self._changed(at, locker)

    def _park(self, at: float) -> Units | None:
        for parking in self._parking:
            if parking.taken < parking.total:
                parking.taken += 1
                self._changed(at, parking)
                return parking
        return None

    def _check_safety(self, at: float, item: Safety) -> None:
        item.cabinet_open = not item.cabinet_open
        self._changed(at, item)
        if item.cabinet_open:
            self._agenda.add(at + 120, self._check_safety, item)
