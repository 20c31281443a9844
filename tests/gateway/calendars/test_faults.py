"""Any function of the calendars' room fails: the thread lives, and a quarter of an hour later every agenda is right."""

import logging
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.schema import Settings
from gateway.calendars.feeds import DAY_MS, MINUTE_MS
from gateway.calendars.ical import read
from gateway.calendars.thread import CalendarThread
from gateway.calendars.wanted import AreaKey
from gateway.policy.activities import Activity, Agenda
from tests.gateway.calendars.test_feeds import NOW, ics
from tests.gateway.faults import Fault, FaultError

ROOMS = ("gateway/calendars",)
FILES = ("a.ics", "b.ics")
STEPS = 4
ERRORS = (FaultError, RuntimeError, RecursionError, MemoryError)  # others are taken for an event without sense


class Hall:
    """Three areas, two calendars; `agendas` is what was delivered."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.now = folder, NOW
        for name in FILES:
            (folder / name).write_bytes(ics(name))
        areas = [
            {"id": f"area{number}", "resources": [{"id": f"room{number}", "kind": "room"}], "calendar": wanted}
            for number, wanted in enumerate((["a.ics"], ["b.ics"], ["a.ics", "b.ics"]))
        ]
        station = {"id": "y", "name": {"zh": "x"}, "areas": areas}
        settings = Settings.model_validate(
            {"stations": [station], "store": {"path": folder}}, context={"base": folder, "check_files": False}
        )
        self.agendas: dict[AreaKey, tuple[Activity, ...]] = {("y", area.id): () for area in settings.stations[0].areas}
        self.thread = CalendarThread(settings, settings.stations, self.take)
        for feed in self.thread._calendars._feeds.values():
            feed._expand = read

    def take(self, changed: Mapping[AreaKey, Agenda]) -> None:
        self.agendas |= {area: agenda.activities for area, agenda in changed.items()}

    def step(self, later_ms: int) -> None:
        """One turn of the thread: what its `run` does but for the waiting."""
        self.now += later_ms
        with self.thread._mishaps.contained("calendars"):
            self.thread.step(self.now)


def day(hall: Hall, seed: int, poisoned: int, fault: Fault) -> dict[AreaKey, tuple[Activity, ...]]:
    dice = random.Random(seed)
    for number in range(STEPS):
        (hall.folder / dice.choice(FILES)).write_bytes(ics(f"{seed}-{number}"))
        later_ms = dice.choice([MINUTE_MS, DAY_MS])
        if number == poisoned:
            with fault.inside():
                hall.step(later_ms)
        else:
            hall.step(later_ms)
    for _ in range(16):
        hall.step(MINUTE_MS)
    return hall.agendas


def check(folder: Path, seed: int) -> str:
    dice = random.Random(-seed)
    poisoned, counted = dice.randrange(STEPS), Fault(ROOMS)
    told = day(Hall(folder / f"{seed}-whole"), seed, poisoned, counted)
    fault = Fault(ROOMS, dice.randint(1, counted.calls), dice.choice(ERRORS))
    assert day(Hall(folder / f"{seed}-faulty"), seed, poisoned, fault) == told, (seed, fault.raised)
    return fault.raised


def test_every_agenda_is_right_again_whatever_failed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, seed) for seed in range(25)}) > 10


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_thousand_turns_of_the_calendars_that_some_function_fails_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, seed) for seed in range(1_000, 3_000)}) > 30
