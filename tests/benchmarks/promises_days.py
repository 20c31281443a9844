"""Simulated months of a station: what its sensors say, minute by minute, and what was true.

Honest days and lies, sound sensors and broken ones. Everything happens at whole minutes from local midnight on.
"""

import random
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.promises_stations import CLOSES, DAY, HOUR, OPENS, Fault, Lie, Month, Said, Sort

REPORT_EVERY = 60
MEMBERS = 40
PATIENCE = 15
Physical = tuple[int, bool, bool]
"""(minute, leaf open, bolt thrown)."""
LIES = {"hand": ("locked_by_day", "late_opening", "early_closing"), "always": ("locked_by_day", "shut_at_night")}
FAULTS = ("stuck_open", "stuck_closed", "stuck_locked", "frozen")


def month(sort: Sort, days: int, rng: random.Random, *, lies: int = 2, faulty: float = 0.15) -> Month:
    """One station for so many days, the first without a lie."""
    return _Maker(sort, days, rng).make(lies, faulty)


class _Maker:
    def __init__(self, sort: Sort, days: int, rng: random.Random) -> None:
        self.sort, self.days, self.rng = sort, days, rng
        self.month = Month(sort)
        self.an_hour = rng.choice((0.3, 1.5, 4.0))
        self.unlocked: list[tuple[int, int]] = []
        self.doors: list[Physical] = []
        self.events: list[Said] = []
        self.passages: set[int] = set()
        self.busy_until: dict[str, int] = {}

    def make(self, lies: int, faulty: float) -> Month:
        free = list(range(1, self.days))
        self.rng.shuffle(free)
        self.month.lies = sorted((self._lie(free.pop()) for _ in range(min(lies, len(free) - 1))), key=_begins)
        if self.sort.door and self.rng.random() < faulty:
            begins = free.pop() * DAY + self.rng.randrange(DAY)
            ends = begins + self.rng.randrange(12 * HOUR, 2 * DAY)
            if all(lie.ends < begins or lie.begins > ends for lie in self.month.lies):
                self.month.fault = Fault(self.rng.choice(FAULTS), begins, ends)
        self._bolt()
        self._visits()
        self._rounds()
        self._report()
        return self.month

    def _lie(self, day: int) -> Lie:
        rng, start = self.rng, day * DAY
        if self.sort.bolt in ("itself", "night", "strike"):
            begins = start + rng.randrange(6 * HOUR, 14 * HOUR)
            return Lie("dead_reader", begins, begins + rng.randrange(2 * HOUR, 8 * HOUR))
        kind = rng.choice(LIES["always" if self.sort.always else "hand"])
        late = rng.randrange(45, 180)
        if kind == "locked_by_day" and self.sort.always:
            begins = start + rng.randrange(6 * HOUR, 14 * HOUR)
            span = (begins, begins + rng.randrange(HOUR, 8 * HOUR))
        else:
            span = {
                "locked_by_day": (start + OPENS, start + CLOSES),
                "late_opening": (start + OPENS, start + OPENS + late),
                "early_closing": (start + CLOSES - late, start + CLOSES),
                "shut_at_night": (start + 22 * HOUR, start + 22 * HOUR + 8 * HOUR),
            }[kind]
        return Lie(kind, *span, span[0] if self.sort.door_can_show else None)

    # ---- the bolt ----

    def _bolt(self) -> None:
        if self.sort.bolt != "hand":
            return
        spans = [(0, self.days * DAY)] if self.sort.always else [self._by_staff(day) for day in range(self.days)]
        for lie in self.month.lies:
            spans = [part for span in spans for part in _without(span, lie)]
        self.unlocked = spans
        for begins, ends in spans:
            if begins:
                self._staff(begins, bolt=False)
            self._staff(ends, bolt=True)
        for lie in self.month.lies:
            if not self.sort.staff_by_back and lie.ends - lie.begins > 3 * HOUR and self.rng.random() < 0.3:
                at = self.rng.randrange(lie.begins + HOUR, lie.ends - HOUR)  # looks in, and locks behind
                self.doors += [(at, False, False), (at, True, False), (at, False, False), (at, False, True)]

    def _by_staff(self, day: int) -> tuple[int, int]:
        start = day * DAY
        return start + OPENS - self.rng.randrange(-2, 20), start + CLOSES + self.rng.randrange(-4, 20)

    def _staff(self, at: int, *, bolt: bool) -> None:
        """They unlock and come in, or leave and lock."""
        steps = [(at, bolt)] if self.sort.staff_by_back else []
        if not steps:
            self.doors += [(at, False, False), (at, True, False)]
        self.doors.append((at, False, bolt))

    def _enterable(self, at: int) -> bool:
        if self.sort.bolt == "hand":
            return any(begins <= at < ends for begins, ends in self.unlocked)
        return not any(lie.begins <= at < lie.ends for lie in self.month.lies) or self._free_passage(at)

    def _free_passage(self, at: int) -> bool:
        return self.sort.bolt == "night" and OPENS <= at % DAY < CLOSES

    # ---- people ----

    def _visits(self) -> None:
        people: list[tuple[int, int]] = []
        refused: dict[int, list[tuple[int, str]]] = {}
        for hour in range(self.days * 24):
            rate = self.an_hour * (1 if 7 <= hour % 24 < 21 else 0.1)
            for _ in range(_poisson(rate, self.rng)):
                at = hour * HOUR + self.rng.randrange(HOUR)
                if self._comes_in(at, refused):
                    people.append((at, self._visit(at)))
        if "room" in self.sort.inside:
            self._count(people)
        for number, lie in enumerate(self.month.lies):
            if lie.kind == "dead_reader":
                lie.shown_at = _third_refusal(refused.get(number, []))

    def _rounds(self) -> None:
        """Once a day a person tries the door, and says whether one can come in."""
        for day in range(self.days if self.sort.checked else 0):
            at = day * DAY + self.rng.randrange(OPENS + HOUR, CLOSES - HOUR)
            self.events.append((at, "entry", "check", {"result": "ok" if self._enterable(at) else "problem"}))
            for lie in self.month.lies:
                if lie.begins <= at < lie.ends:
                    lie.shown_at = at

    def _comes_in(self, at: int, refused: dict[int, list[tuple[int, str]]]) -> bool:
        if not self.sort.reader:
            return self._enterable(at)
        card = f"{self.rng.randrange(MEMBERS):04x}"
        if self._free_passage(at):
            return True
        granted = self._enterable(at) and self.rng.random() < 0.97
        who = "reader" if self.sort.reader == "apart" else "door"
        self.events.append((at, who, "event", {"type": "card", "card": card, "granted": granted, "direction": "in"}))
        for number, lie in enumerate(self.month.lies):
            if lie.begins <= at < lie.ends:
                refused.setdefault(number, []).append((at, card))
        return granted

    def _visit(self, at: int) -> int:
        leaves = at + self.rng.randrange(5, 60)
        for begins, ends in self.unlocked:
            if begins <= at < ends:
                leaves = min(leaves, ends - 1)
        self.passages |= {at, leaves}
        wishes = {"seat": (at, leaves, 0.7), "microwave": (at + 1, at + 4, 0.3), "phone": (at + 1, leaves, 0.3)}
        for thing, (begins, ends, share) in wishes.items():
            if thing in self.sort.inside and self.rng.random() < share and begins < ends <= leaves:
                self._use(thing, begins, ends)
        return leaves

    def _use(self, thing: str, begins: int, ends: int) -> None:
        if begins <= self.busy_until.get(thing, -1):
            return
        self.busy_until[thing] = ends
        self.events.append((begins, thing, "state", IN_USE[thing][0]))
        self.events.append((ends, thing, "state", IN_USE[thing][1]))

    def _count(self, people: list[tuple[int, int]]) -> None:
        steps = sorted([(at, 1) for at, _ in people] + [(leaves, -1) for _, leaves in people], key=_first_in)
        inside = 0
        for at, step in steps:
            inside += step
            self.events.append((at, "room", "state", {"people": inside}))

    # ---- what is said ----

    def _report(self) -> None:
        self._passing()
        end = self.days * DAY
        said: list[Said] = [(0, "aed", "state", {"ready": True})]
        said += self._periodic({name: IN_USE.get(name, ({}, {"people": 0}))[1] for name in self.sort.inside})
        if self.sort.door:
            said += self._door_says()
        if self.sort.back:
            said += [(at, "back", "state", {"open": False, "locked": True}) for at in range(0, end, REPORT_EVERY)]
        said += [event for event in self.events if event[1] in ("reader", "entry")]
        self.month.said = sorted((event for event in said if event[0] < end), key=_at)

    def _periodic(self, idle: dict[str, dict[str, Any]]) -> Iterator[Said]:
        """What things inside say when it changes, and every hour again."""
        for thing, now in idle.items():
            mine = sorted((event for event in self.events if event[1] == thing), key=_at)
            yield from _repeated([(0, thing, "state", now), *mine], self.days * DAY)

    def _passing(self) -> None:
        """Everybody who comes or goes opens the leaf, and where the bolt moves itself that too."""
        for at in sorted(self.passages):
            itself = self.sort.bolt in ("itself", "strike", "night") and not self._free_passage(at)
            strike = self.sort.bolt == "strike"
            self.doors += [(at, False, strike), (at, True, strike), (at, False, strike)]
            if itself and at + 1 not in self.passages and not self._free_passage(at + 1):
                self.doors.append((at + 1, False, True))
        if self.sort.bolt == "night":
            for day in range(self.days):
                self.doors += [(day * DAY + OPENS, False, False), (day * DAY + CLOSES, False, True)]

    def _door_says(self) -> Iterator[Said]:
        locked = self.sort.bolt != "hand" or not any(begins <= 0 for begins, _ in self.unlocked)
        moves = [(0, False, locked), *sorted(self.doors, key=_at)]
        steps = [(at, "door", "state", {"open": leaf, "locked": bolt}) for at, leaf, bolt in moves]
        fault, last = self.month.fault, dict[str, Any]()
        for at, device, topic, true in _repeated(steps, self.days * DAY):
            told = {name: true[name] for name in self.sort.door}
            if fault is not None and fault.begins <= at < fault.ends:
                told = {name: _broken(fault.kind, name, told[name], last.get(name)) for name in told}
            else:
                last = told
            yield at, device, topic, told
        yield from (event for event in self.events if event[1] == "door")


IN_USE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "seat": ({"occupied": True}, {"occupied": False}),
    "microwave": ({"status": "running"}, {"status": "idle"}),
    "phone": ({"status": "Charging"}, {"status": "Available"}),
}


def _broken(kind: str, name: str, true: bool, last: bool | None) -> bool:
    if kind == "frozen":
        return true if last is None else last
    return {"stuck_openopen": True, "stuck_closedopen": False, "stuck_lockedlocked": True}.get(kind + name, true)


def _repeated(steps: list[Said], end: int) -> Iterator[Said]:
    """Each step, and until the next the same every hour."""
    for number, (at, *what) in enumerate(steps):
        until = steps[number + 1][0] if number + 1 < len(steps) else end
        yield at, *what  # type: ignore[misc]
        yield from ((again, *what) for again in range(at + REPORT_EVERY, until, REPORT_EVERY))  # type: ignore[misc]


def _without(span: tuple[int, int], lie: Lie) -> Iterator[tuple[int, int]]:
    """What is left of it outside of the lie, and of what little is left beside it nothing."""
    begins, ends = span
    if lie.ends <= begins or lie.begins >= ends:
        yield span
        return
    if lie.begins - begins > HOUR:
        yield begins, lie.begins
    if ends - lie.ends > HOUR:
        yield lie.ends, ends


def _third_refusal(tries: list[tuple[int, str]]) -> int | None:
    """When three different cards were refused in so short a time that they still say so after the patience."""
    for at, _ in tries:
        if len({card for then, card in tries if at - 2 * HOUR + PATIENCE < then <= at}) >= 3:
            return at
    return None


def _poisson(rate: float, rng: random.Random) -> int:
    count, waited = 0, rng.expovariate(1)
    while waited < rate:
        count += 1
        waited += rng.expovariate(1)
    return count


def _at(step: tuple[Any, ...]) -> int:
    at: int = step[0]
    return at


def _first_in(step: tuple[int, int]) -> tuple[int, int]:
    return step[0], -step[1]


def _begins(lie: Lie) -> int:
    return lie.begins
