"""The thread that fetches calendars, so that a slow one keeps nobody waiting."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from config.schema import Settings, StationSettings
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.calendars.feeds import Calendars
from gateway.calendars.releases import Given, Releases
from gateway.calendars.wanted import AreaKey, Wanted, wanted_of
from gateway.model import Millis
from gateway.policy.activities import Activity, Agenda

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
GIVEN_UP_WAIT_S = 5.0
"""So often it is looked whether a booking was given up, where a calendar wants to know."""
AFTER_A_FAULT_S = 15.0


class CalendarThread(threading.Thread):
    """Hands each changed agenda to `deliver`, which must return at once."""

    def __init__(
        self,
        settings: Settings,
        stations: Iterable[StationSettings],
        deliver: Callable[[Mapping[AreaKey, Agenda]], None],
        mishaps: Mishaps | None = None,
        given_up: Callable[[AreaKey], Collection[Activity]] = lambda _area: (),
    ) -> None:
        """`given_up(area)`: the bookings of now that nobody came to; asked on this thread."""
        super().__init__(name="calendars", daemon=True)  # a fetch may hang for longer than a stop may take
        mishaps = mishaps or Mishaps()
        wanted = wanted_of(settings, stations)
        self._calendars = Calendars(wanted, settings.store.path / "calendars", mishaps)
        self._releases = Releases(settings.store.path / "calendars")
        self._deliver, self._given_up = deliver, given_up
        self._stopping = threading.Event()
        self._mishaps = mishaps
        self._told: list[str] = []
        self._next: deque[Wanted] = deque(maxlen=1)
        self._wake = threading.Event()
        self.wanted = bool(wanted)

    def run(self) -> None:
        while not self._stopping.is_set():
            wait_s = AFTER_A_FAULT_S
            with self._mishaps.contained("calendars"):
                wait_s = self.step(now_ms())
            self._wake.wait(wait_s)
            self._wake.clear()

    def configure(self, wanted: Wanted) -> None:
        """These calendars from now on. Any thread; it begins with the first calendar that is wanted."""
        self._next.append(wanted)
        self.wanted = self.wanted or bool(wanted)
        self._wake.set()
        if self.wanted and self.ident is None and not self._stopping.is_set():
            self.start()

    def step(self, now: Millis) -> float:
        """Ask what is due and hand it on; after how many seconds to come again."""
        while self._next:
            self._calendars.configure(self._next.popleft())
        written = self._calendars.written()
        if written:
            with self._mishaps.contained("telling calendars what is given up"):
                self._release(now)
        changed = self._calendars.refresh(now)
        if changed:
            self._deliver(changed)
            self._calendars.delivered(changed)
        self._tell()
        due, longest_s = self._calendars.due(), GIVEN_UP_WAIT_S if written else LONGEST_WAIT_S
        return longest_s if due is None else min(longest_s, max(0.1, (due - now_ms()) / 1000))

    def _release(self, now: Millis) -> None:
        """Tell the calendars what was given up since, and what they did not take before."""
        given: list[Given] = [
            (address, zone, activity)
            for area in self._calendars.areas()
            for activity in self._given_up(area)
            for address, zone in self._calendars.holding(area, activity)
        ]
        try:
            self._releases.look(given, self._calendars.written(), now)
        except OSError as error:
            log.warning("calendars: what is given up can't be kept: %s", error)

    def end(self) -> None:
        """Stop soon; nobody waits for it."""
        self._stopping.set()
        self._wake.set()

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
        told = problems + self._calendars.remarks() + self._releases.problems()
        for line in told:
            if line not in self._told:
                log.warning("calendar %s", line)
        self._told = told
