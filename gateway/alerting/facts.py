"""What passes by in a running gateway → facts for the alert core. Belongs to the intake thread."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from config.kinds import SPECS
from config.schema import Settings
from gateway.alerting.boxes import BoxWatch
from gateway.alerting.checks import CheckWatch
from gateway.alerting.configured import limits_of
from gateway.alerting.quarantine import ELSEWHERE, HOUR_MS, QuarantineRate
from gateway.alerting.screens import Screens
from gateway.alerts.doubts import KINDS_OF_ALERT, facts_of_verdict
from gateway.alerts.facts import Fact, clock_skew, flooding, opening
from gateway.alerts.facts import entrance as entrance_fact
from gateway.alerts.signals import CONDITIONS, fact_of_event, facts_of_signals
from gateway.alerts.words import Alert
from gateway.core.flood import Flood
from gateway.core.outcome import Outcome
from gateway.evidence.facts import Facts
from gateway.kinds import Known
from gateway.live import Device, Live, Station
from gateway.live.replacing import Moved
from gateway.model import TS_SUSPECT, Batch, Millis, OpeningChange, Resource, Signal
from gateway.wire import Event, parse_topic

DAY_MS = 86_400_000
LOOK_EVERY_MS = 1_000


class Watch:
    """Collects resources that said something and looks at each at most once a second."""

    def __init__(self, settings: Settings, live: Live, gateway: str) -> None:
        self._gateway, self._limits = gateway, limits_of(settings)
        self._devices = live.devices
        self._stations = live.stations
        self._boxes = BoxWatch(live.box_lines)
        # After a start everything is looked at once: what came before it may not have been judged.
        self._news = {facts for station in live.stations.values() for facts in station.facts() if facts.fresh.heard}
        self._checks = CheckWatch(live, self._limits.safety_expiry_days)
        self._judged: dict[Facts, tuple[object, ...]] = {}  # the signals last looked at
        self._doubted: set[Facts] = set()  # those of whom a verdict was told, until it is over
        self._failed: set[Facts] = set()  # those that the last look failed over
        self._contained, self._note = live.mishaps.contained, live.mishaps.note
        self._look_at: Millis = 0
        self._skewed: dict[bytes, Resource] = {}
        self._quarantine = QuarantineRate(settings.alerts.thresholds.quarantine_per_hour, live.stations, gateway)
        self._mishaps: dict[str, tuple[Millis, str]] = {}  # by station: when the last was, and what
        self.flood: Flood | None = None
        self._floods: set[Device] = set()  # those that were told to flood, until it is over
        self.screens = self._screens = Screens(settings.api.screen_silent_s * 1000)
        self._entrances: deque[tuple[str, str, bool]] = deque()  # what was found of them since the last look

    def resume(self, alerts: Iterable[Alert]) -> None:
        """After a start: what was told must be looked at again until it is over."""
        for alert in alerts:
            if alert.kind in KINDS_OF_ALERT:
                self._doubted |= _about(alert, self._stations.get(alert.station or ""))
            if alert.kind == "quarantine_rate":
                self._quarantine.resume(alert)
            elif alert.kind == "internal_error":
                self._mishaps[alert.station or ELSEWHERE] = alert.since, alert.cause
            elif alert.kind == "screen_absent" and alert.station is not None:
                self._screens.resume(alert.station, alert.subject, alert.since)
            elif alert.kind in ("check_problem", "check_missed", "supply_expiring"):
                self._checks.resume(alert)
            device = self._devices.get((alert.station or "", alert.subject))
            if alert.kind == "device_flooding" and device is not None:
                self._floods.add(device)
            if alert.kind == "clock_skew" and device is not None:
                self._skewed[f"yz/{alert.station}/{alert.subject}/state".encode()] = device.facts[0].resource

    def configure(self, settings: Settings, moved: Moved, removed: Iterable[str]) -> None:
        """Another configuration: what was known of what stays is known, of the rest nothing."""
        before, self._limits = self._limits, limits_of(settings)
        now_is = dict(moved.same)
        over = {*moved.lost, *now_is}
        self._news = {now_is.get(facts, facts) for facts in self._news if facts not in over or facts in now_is}
        for told in (self._doubted, self._failed):
            renewed = {now_is[facts] for facts in told & now_is.keys()}
            told -= over
            told |= renewed
        for facts in over & self._judged.keys():
            del self._judged[facts]
        if self._limits != before:
            self._judged.clear()
            self._news |= {facts for station in self._stations.values() for facts in station.facts()}
        self._news |= {facts for facts in (*now_is.values(), *moved.fresh) if facts.fresh.heard}
        went = {(device.station, device.id) for device in moved.went}
        self._floods -= set(moved.went)
        self._skewed = {
            topic: resource
            for topic, resource in self._skewed.items()
            if (resource.station, resource.device) not in went
        }
        for name in removed:
            self._mishaps.pop(name, None)
            self._screens.forget(name)
        self._quarantine.configure(settings.alerts.thresholds.quarantine_per_hour)
        self._checks.configure(self._limits.safety_expiry_days)

    def mishap(self, station: str | None, error: str, now: Millis) -> None:
        """A fault of ours over one input of this station, or of none."""
        self._mishaps[station if station in self._stations else ELSEWHERE] = now, error

    def follow(self, outcome: Outcome, now: Millis) -> list[Fact]:
        """What an outcome says besides its changes; what is news in it is looked at later."""
        flags = outcome.batch.flags
        clocks_matter = bool(self._skewed) or (bool(flags) and max(flags) >= TS_SUSPECT)
        if outcome.is_plain and not clocks_matter:
            return []
        self._news |= outcome.news
        self._checks.follow(outcome.checked)
        facts = [opening(change) for change in outcome.openings]
        if outcome.rejected:
            with self._contained("counting refused messages"):
                self._quarantine.count(outcome.rejected)
        for happened in outcome.happened:
            with self._contained("an event", happened[0].station):
                facts += facts_of_events([happened])
        if clocks_matter:
            with self._contained("clocks of devices"):
                facts += self._clocks(outcome.batch, now)
        return facts

    def screen(self, name: str, station: str, at: Millis) -> None:
        """A screen checked in. Any thread."""
        self._screens.check_in(station, name, at)

    def entrance(self, station: str, name: str, agree: bool) -> None:
        """Whether the sensors of an entrance agree. Any thread."""
        self._entrances.append((station, name, agree))

    def next_look(self) -> Millis | None:
        floods = self._floods or (self.flood is not None and self.flood.limited)
        told = self._checks or self._screens or self._quarantine or self._mishaps or self._entrances
        waits = self._news or told or floods or self._boxes
        return self._look_at if waits else None

    def look(self, now: Millis) -> list[Fact]:
        """Signals that are news since the last look; screens and quarantine rates with them."""
        if now < self._look_at:
            return []
        self._look_at = now + LOOK_EVERY_MS
        news = sorted(self._news, key=_by_name)  # a replay says the same
        self._news, seen, verdicts = set(), list[Fact](), list[Fact]()
        for facts in news:
            try:
                seen += self._of(facts, now)
                verdicts += self._verdict(facts, now)
                self._failed.discard(facts)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._look_again(facts, error)
        seen += verdicts
        seen += self._checks.look(now)
        with self._contained("the screens"):
            seen += self._screens.look(now)
        while self._entrances:
            station, name, agree = self._entrances.popleft()
            seen.append(entrance_fact(now, agree, station, name))
        with self._contained("devices that flood"):
            seen += self._flooding(now)
        with self._contained("boxes that can't be heard"):
            seen += self._boxes.look(now)
        for judge, stations in ((self._fault, list(self._mishaps)), (self._quarantine.fact, self._quarantine.stations)):
            for station in stations:
                with self._contained("what was set aside", station):
                    seen.append(judge(station, now))
        return seen

    def _look_again(self, facts: Facts, error: Exception) -> None:
        """Once more at the next look; then not before it says something new."""
        self._judged.pop(facts, None)
        if facts not in self._failed:
            self._failed.add(facts)
            self._news.add(facts)
        self._note("looking at a resource's signals", error, facts.resource.station)

    def _flooding(self, now: Millis) -> list[Fact]:
        """Devices that send more than they may, and those that do so no longer."""
        told = {} if self.flood is None else dict(self.flood.look(now))
        over = sorted(self._floods - told.keys(), key=lambda device: (device.station, device.id))
        self._floods = set(told)
        facts = [flooding(device.facts[0].resource, now, per_s) for device, per_s in told.items()]
        return facts + [flooding(device.facts[0].resource, now, None) for device in over]

    def _of(self, facts: Facts, now: Millis) -> list[Fact]:
        """Facts from signals that have changed since the last look, and once a day from an expiry."""
        signals = signals_of(facts)
        seen = (*signals.values(), now // DAY_MS)
        if not signals or self._judged.get(facts) == seen:
            return []
        self._judged[facts] = seen
        return facts_of_signals(facts.resource, signals, now, self._limits)

    def _verdict(self, facts: Facts, now: Millis) -> list[Fact]:
        """What the judge of evidence found, until he has taken it back."""
        if facts.doubt.verdict is None and facts not in self._doubted:
            return []
        said = facts_of_verdict(facts, now)
        keep = self._doubted.discard if all(fact.holds is False for fact in said) else self._doubted.add
        keep(facts)
        return said

    def _clocks(self, batch: Batch, now: Millis) -> list[Fact]:
        """Devices whose time stamps can't be believed, and those whose can again."""
        skews: dict[bytes, Fact] = {}
        for topic, flags in zip(batch.topics, batch.flags, strict=True):
            suspect = bool(flags & TS_SUSPECT)
            if suspect and topic not in self._skewed and (device := self._devices.get(parse_topic(topic)[:2])):
                self._skewed[topic] = device.facts[0].resource
            resource = self._skewed.get(topic)
            if resource is not None:
                skews[topic] = clock_skew(resource, now, suspect)
        for topic, fact in skews.items():
            if not fact.holds:
                del self._skewed[topic]
        return list(skews.values())

    def _fault(self, station: str, now: Millis) -> Fact:
        """One for a station, until an hour after the last: what is behind many is one fault of ours."""
        last, error = self._mishaps[station]
        holds = now < last + HOUR_MS
        if not holds:
            del self._mishaps[station]
        return Fact(
            "internal_error", last if holds else now, holds, station or None, station or self._gateway, None, error
        )


def _about(alert: Alert, station: Station | None) -> set[Facts]:
    return set() if station is None else {facts for facts in station.facts() if facts.resource.id == alert.resource}


def _by_name(facts: Facts) -> tuple[str, str]:
    return facts.resource.station, facts.resource.id


def _good_until(known: Known) -> Signal | None:
    """The last good day, which is kept as its end."""
    if known.expires is None:
        return None
    return datetime.fromtimestamp((known.expires - DAY_MS) / 1000, UTC).date().isoformat()


# How a signal is read of what is known, where that is not kept under its name.
_READ: dict[str, Callable[[Known], Signal | None]] = {
    "open": lambda known: None if known.status is None else known.status == "open",
    "expires": _good_until,
}
ASKED = {
    name: [
        (asked.signal, _READ.get(asked.signal) or attrgetter(asked.signal)) for asked in CONDITIONS if asked.of == name
    ]
    for name in SPECS
}
"""By kind of resource: the signals of its own that an alert may follow from, and how each is read."""


def signals_of(facts: Facts) -> dict[str, Signal]:
    """The present signals that may be alerts, of a resource that ever said any."""
    known, signals = facts.known, dict[str, Signal]()
    if known.battery_pct is not None:
        signals["battery_pct"] = known.battery_pct
    for name, read in ASKED[facts.resource.kind]:
        value = read(known)
        if value is not None:
            signals[name] = value
    return signals


def facts_of_events(happened: Sequence[tuple[Device, Event, Millis]]) -> list[Fact]:
    events = [
        fact_of_event(facts.resource, event.type, at) for device, event, at in happened for facts in device.facts[:1]
    ]
    return [fact for fact in events if fact is not None]


def openings_at_start(live: Live, alerts: Iterable[Alert], now: Millis) -> list[Fact]:
    """Which stations can't be entered, and which of those that were told (`alerts`) can be again."""
    told = {alert.station for alert in alerts if alert.kind == "open_contradicted"}
    return [
        opening(OpeningChange(station.id, now, station.judged.proof, station.judged.why))
        for station in live.stations.values()
        if station.judged.proof == "contradicted" or station.id in told
    ]
