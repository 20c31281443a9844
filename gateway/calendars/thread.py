"""The thread that fetches calendars, so that a slow one keeps nobody waiting."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping

from config.schema import Settings, StationSettings
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.calendars.feeds import AreaKey, Calendars
from gateway.model import Millis
from gateway.policy.activities import Activity, Agenda

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
AFTER_A_FAULT_S = 15.0


class CalendarThread(threading.Thread):
    """Hands each changed agenda to `deliver`, which must return at once."""

    def __init__(
        self,
        settings: Settings,
        stations: Iterable[StationSettings],
        deliver: Callable[[Mapping[AreaKey, Agenda]], None],
        mishaps: Mishaps | None = None,
    ) -> None:
        super().__init__(name="calendars", daemon=True)  # a fetch may hang for longer than a stop may take
        mishaps = mishaps or Mishaps()
        wanted = {
            (station.id, area.id): (station.timezone or settings.timezone, tuple(map(str, area.calendar)))
            for station in stations
            for area in station.areas
            if area.calendar
        }
        self._calendars = Calendars(wanted, settings.store.path / "calendars", mishaps)
        self._deliver = deliver
        self._stopping = threading.Event()
        self._mishaps = mishaps
        self._told: list[str] = []
        self.wanted = bool(wanted)

    def run(self) -> None:
        while not self._stopping.is_set():
            wait_s = AFTER_A_FAULT_S
            with self._mishaps.contained("calendars"):
                wait_s = self.step(now_ms())
            self._stopping.wait(wait_s)

    def step(self, now: Millis) -> float:
        """Ask what is due and hand it on; after how many seconds to come again."""
        changed = self._calendars.refresh(now)
        if changed:
            self._deliver(changed)
            self._calendars.delivered(changed)
        self._tell()
        due = self._calendars.due()
        return LONGEST_WAIT_S if due is None else min(LONGEST_WAIT_S, max(0.1, (due - now_ms()) / 1000))

    def end(self) -> None:
        """Stop soon; nobody waits for it."""
        self._stopping.set()

    def activities_of(self, station: str) -> Mapping[str, tuple[Activity, ...]]:
        """What takes place in each area of a station, from a day ago to two weeks ahead. Any thread may ask."""
        return self._calendars.activities_of(station)

    def left_out(self) -> int:
        """How many events of all calendars are left out now. Any thread may ask."""
        return self._calendars.left_out()

    def left_out_of(self) -> dict[str, int]:
        """The same by station, area and reason. Any thread may ask."""
        return self._calendars.left_out_of()

    def _tell(self) -> None:
        """Each problem and each oddity once, until it changes."""
        problems = [f"{problem}; what it said last stays good for a week" for problem in self._calendars.problems()]
        told = problems + self._calendars.remarks()
        for line in told:
            if line not in self._told:
                log.warning("calendar %s", line)
        self._told = told
