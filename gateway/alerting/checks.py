"""Checks by people → facts for the alert core: what was found wrong, and what nobody has looked at. Of one thread."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.alerts.facts import Fact, check_missed, check_problem, supply_expiring
from gateway.alerts.words import Alert
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.evidence.checks import CheckState
from gateway.live import Live, Station
from gateway.model import Millis


class CheckWatch:
    """Looks at each check whose word is another or has run out; after a start at all of them."""

    def __init__(self, live: Live, days: int) -> None:
        """`days`: so long before a thing expires it is told."""
        self._live = live
        self._news = {check for station in live.stations.values() for check in station.checks.values()}
        self._days_ms = days * DAY_MS
        self._look_at: Millis = 0
        self._ended: list[Fact] = []  # of checks that nobody is asked for any more

    def __bool__(self) -> bool:
        """Whether there is something to look at."""
        return bool(self._news or self._ended)

    def resume(self, alert: Alert) -> None:
        """An alert of before the start, about a check."""
        station = self._live.stations.get(alert.station or "")
        if station is not None and alert.subject not in station.checks:
            self._ended.append(Fact(alert.kind, alert.since, False, alert.station, alert.subject))

    def configure(self, days: int) -> None:
        """From now on; the checks that there are now are looked at, for they may be others."""
        self._days_ms = days * DAY_MS
        known = self._live.stations
        self._news = {check for check in self._news if _is_asked(known.get(check.station), check)}
        self._ended = [fact for fact in self._ended if fact.station in known]
        self._look_at = 0

    def follow(self, checks: Iterable[CheckState]) -> None:
        self._news |= set(checks)

    def look(self, now: Millis) -> list[Fact]:
        """A check that fails costs itself."""
        if now >= self._look_at:  # what expires is looked at each hour
            self._look_at = now + HOUR_MS
            self._news |= {
                check for station in self._live.stations.values() for check in station.checks.values() if check.expires
            }
        ended, self._ended = self._ended, []
        facts = [replace(fact, at=now) for fact in ended]
        checks, self._news = sorted(self._news, key=lambda check: (check.station, check.id)), set()
        for check in checks:
            with self._live.mishaps.contained(f"check {check.id}", check.station):
                facts += self._of(check, now)
        return facts

    def _expires_soon(self, check: CheckState, now: Millis) -> bool:
        return check.expired_at is not None and now >= check.expired_at - self._days_ms

    def _of(self, check: CheckState, now: Millis) -> list[Fact]:
        resources = {facts.resource.id: facts.resource for facts in self._live.stations[check.station].facts()}
        resource = next((resources[name] for name in check.of if name in resources), None)
        at = check.last.ts if check.problem and check.last is not None else now
        return [
            check_problem(check.station, check.id, resource, min(at, now), check.problem),
            check_missed(check.station, check.id, resource, now, check.missed(now)),
            supply_expiring(check.station, check.id, resource, now, self._expires_soon(check, now)),
        ]


def _is_asked(station: Station | None, check: CheckState) -> bool:
    return station is not None and station.checks.get(check.id) is check
