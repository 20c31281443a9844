"""What checks by people do to what is shown: see `evidence/checks` for what they are."""

from collections.abc import Callable

from gateway.evidence.checks import CheckReport, CheckState
from gateway.evidence.facts import Facts
from gateway.live.alarms import Alarms
from gateway.live.places import Station
from gateway.model import Evidence, Health, Millis, Use


class Rounds:
    """The checks of all stations. `news`: those whose word is another, or has run out, since the caller took them."""

    def __init__(
        self,
        alarms: Alarms,
        settle: Callable[[Facts, Millis, str], None],
        judge: Callable[[Station, Millis], None],
        touch: Callable[[Station], None],
    ) -> None:
        """`settle`, `judge` and `touch` are those of the live state."""
        self.news: set[CheckState] = set()
        self._alarms, self._settle, self._judge, self._touch = alarms, settle, judge, touch

    def reported(self, station: Station, report: CheckReport, now: Millis) -> bool:
        """A person has looked. False if the report is no news: older than what is known, or the same."""
        check = station.checks[report.check]
        if not check.take(report):
            return False
        if report.result != "verified":
            _tell_of_entry(station, check, now)
            self._judge(station, now)
        self.look(station, check, now)
        return True

    def look(self, station: Station, check: CheckState, now: Millis) -> None:
        """Its word is another, or may have run out."""
        self.news.add(check)
        self._alarms.set(check, check.next_end(now))
        for facts in [facts for facts in station.facts() if check in facts.checks]:
            self._settle(facts, now, "check")
        self._touch(station)

    def take_up(self, station: Station, check: CheckState, now: Millis) -> None:
        """After a start: what was found at the door stays found."""
        if check.entry and check.last is not None:
            station.promise.checked(min(check.last.ts, now), enterable=not check.problem)
            self._judge(station, now)
        self.look(station, check, now)

    def set_alarms(self, station: Station) -> None:
        """At the beginning, and when the clock was set."""
        for check in station.checks.values():
            self._alarms.set(check, check.holds_until)


def ask_of(facts: Facts, station: Station) -> None:
    """People look at it by those checks of its station that name it."""
    facts.checks = tuple(check for check in station.checks.values() if facts.resource.id in check.of)


def by_people(facts: Facts, health: Health, use: Use, evidence: Evidence, now: Millis) -> tuple[Health, Use]:
    """What a person found wrong, or to expire before today, is a fault; what no sensor watches and people find right is
    free while they counted any.
    """
    if any(check.problem or check.expired(now) for check in facts.checks):
        health = "fault"
    if facts.checked and evidence == "live" and use == "unknown":
        use = "blocked" if any(check.empty for check in facts.checks) else "free"
    return health, use


def _tell_of_entry(station: Station, check: CheckState, now: Millis) -> None:
    """Who found it right was there; who was asked whether one can come in has tried."""
    at = min(check.last.ts, now) if check.last is not None else now
    if check.entry:
        station.promise.checked(at, enterable=not check.problem)
    if not check.problem:
        station.promise.sign(at, personal=False)
