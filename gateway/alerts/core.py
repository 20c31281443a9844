"""The alert core: changes and facts in, alert events out. No I/O, no clock, one thread; the same input gives the same.

Four rules stand above the delays. Missing data never clears. A device is not blamed while we are deaf ourselves.
Forty silent devices are one router. And what was told once is not told again, whatever restarts in between.

This is the loop: it takes in what is told and wakes each case when something of it is due. When that is stands in
`due`, what is done then in `book`, what silent devices have to do with each other in `folding`, and what people
may do in `desk`.
"""

from collections.abc import Callable, Iterable, Mapping

from gateway.alerts.apart import TRY_AGAIN_MS, Apart
from gateway.alerts.book import Book
from gateway.alerts.case import AlertWords, Case, CaseKey, Policy
from gateway.alerts.cases import Cases
from gateway.alerts.desk import AlertDesk
from gateway.alerts.facts import Fact
from gateway.alerts.folding import Folding
from gateway.alerts.groups import Groups, LastHeard
from gateway.alerts.kinds import DEAFENING, GROUP_KINDS, KINDS
from gateway.alerts.muting import Mutes
from gateway.alerts.news import matters
from gateway.alerts.rules import fact_of
from gateway.alerts.succession import Succession
from gateway.alerts.surroundings import Surroundings
from gateway.alerts.words import MAINTENANCE, REMOVED, SENSOR, Alert, AlertEvent
from gateway.base.mishaps import Mishaps
from gateway.model import Change, Millis, Resource

_STARTING: CaseKey = ("", "", "starting")


class Alerts:
    """What is wrong now. `restore` what the store knew, `prime` with every resource as it is, then feed it.

    `desk` is for whoever acts on alerts or asks about them, `succession` for another configuration.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        heard: LastHeard,
        policy: Policy | None = None,
        bridges: Mapping[tuple[str, str], str] | None = None,
        worked_on: Callable[[Resource], bool] = lambda _: False,
        mishaps: Mishaps | None = None,
        stations: Iterable[str] = (),
    ) -> None:
        """`heard(station, device)` says when that was last heard; `bridges` names the bridge of (station, device);
        `worked_on` says whether somebody has a resource in maintenance by hand. `mishaps` notes the inputs that we
        fail over, which leave no trace and are judged once more in a while; without it the fault is raised.
        `stations`: all that there are, also those without any resource.
        """
        policy = policy or Policy()
        self._mutes = Mutes(resources, policy.mute_when_closed, worked_on, stations)
        self._groups = Groups(bridges or {})
        self._cases = cases = Cases()
        around = Surroundings(cases, self._groups, self._mutes, heard)
        self._book = Book(cases, around, policy)
        self._folding = Folding(self._book, self._groups, heard)
        self.desk = AlertDesk(self._book)
        self.succession = Succession(self._book, self._groups, self._mutes)
        self.apart = Apart(self._book, self._groups, self._mutes, self._judge, mishaps)

    # ---- after a start ----

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take up what the store knew: open alerts, and those that staff closed while the condition still held."""
        for alert in alerts:
            with self.apart.contained("taking up an alert", alert.station):
                self._take_up(alert)
        for case in self._cases.all():
            with self.apart.contained("taking up an alert", case.key[0]):
                self._book.arm(case)

    def _take_up(self, alert: Alert) -> None:
        kind = KINDS[alert.kind]  # one of a later version is none that we can judge
        if alert.state == "closed" and (kind.latched or alert.closed_by == REMOVED):
            return  # over and done with: the next one is new
        key = (alert.station or "", alert.subject, alert.kind)
        resource = self._mutes.resource(alert.station, alert.resource)
        what = AlertWords(resource, alert.cause, alert.detail, severity=alert.severity)
        case = Case(key, what, holds=True, since=alert.since)
        case.rises = [alert.since]
        self._cases.add(case)
        if alert.state == "closed":
            case.resting = alert.closed_by == MAINTENANCE
            case.told = not case.resting
        else:
            case.alert = alert
            self._book.open[alert.id] = case
        if alert.kind in DEAFENING:
            self._book.deaf.add(key)

    def prime(self, states: Iterable[Change], now: Millis) -> list[AlertEvent]:
        """Every resource as it is (`after`, `at` = since when) at start; silences get one ttl to prove us wrong."""
        book, states, contained = self._book, list(states), self.apart.contained
        self._follow_all(states)
        book.deaf.add(_STARTING)
        self.apart.judge_all(states, now)
        events = book.collect()
        book.deaf.discard(_STARTING)
        for case in list(book.open.values()):
            with contained("an alert at the start", case.key[0]):
                if case.alert is not None and case.key[0] and not self._mutes.knows(case.key[0], case.alert.resource):
                    case.fall(now)
                    book.close_alert(case, now, REMOVED)
        for case in self._cases.all():
            with contained("an alert at the start", case.key[0]):
                book.allow_grace(case, now)
                if case.kind in GROUP_KINDS:
                    case.recheck = now + book.recheck_ms
                    book.arm(case)
        return events + book.collect()

    def _follow_all(self, states: Iterable[Change]) -> None:
        """All groups are whole before the first silence is judged."""
        for state in states:
            try:
                self._groups.follow(state)
            except Exception as error:  # noqa: BLE001  noted or raised
                self.apart.note("the groups of a resource", error, state.resource.station)

    # ---- the loop ----

    def on_changes(self, changes: Iterable[Change], now: Millis) -> list[AlertEvent]:
        """Visible changes in order."""
        for change in changes:
            self.apart.judge(change, now)
        return self._book.collect()

    def on_facts(self, facts: Iterable[Fact], now: Millis) -> list[AlertEvent]:
        """Conditions that the axes don't show, and our own troubles."""
        for fact in facts:
            if fact.holds or (fact.holds is False and (self.apart.waits or self._cases.get(_key_of(fact)))):
                self.apart.judge(fact, now)
        return self._book.collect()

    def tick(self, now: Millis) -> list[AlertEvent]:
        """Whatever is due by `now`: raise, clear, look again."""
        self.apart.judge_again(now)
        schedule = self._book.schedule
        while (key := schedule.pop(now)) is not None:
            before = self.apart.before(key[0], key[1])
            try:
                case = self._cases.get(key)
                assert case is not None
                self._folding.settle(case, now)
            except Exception as error:  # noqa: BLE001  noted or raised
                before.restore()
                schedule.put(key, now + TRY_AGAIN_MS)
                self.apart.note("what is due of an alert", error, key[0])
        return self._book.collect()

    def next_deadline(self) -> Millis | None:
        """When `tick` has something to do, or None."""
        again, due = self.apart.next_deadline(), self._book.schedule.next()
        return again if due is None else due if again is None else min(due, again)

    # ---- learning ----

    def _judge(self, told: Change | Fact, now: Millis) -> None:
        if isinstance(told, Fact):
            self._learn(told, now)
            return
        self._mute(told, now)
        self._groups.follow(told)
        for kind, holds in matters(told, self._cases):
            self._learn(fact_of(told, kind, holds), now)

    def _learn(self, fact: Fact, now: Millis) -> None:
        if fact.holds is None:
            return
        key = _key_of(fact)
        case = self._cases.get(key)
        if case is None:
            if not fact.holds:
                return
            case = self._cases.add(Case(key, _what(fact)))
        milder = fact.severity == "info" and case.alert is not None and case.alert.severity == "critical"
        if fact.holds and not milder:
            self._rise(case, fact, now)
        elif case.holds and not KINDS[fact.kind].latched:
            case.fall(fact.at)
            if case.kind == "device_silent":
                self._doubt(fact, now)
        if case.kind in DEAFENING:
            self._hear(case, now)
        if case.kind == "device_silent":
            self._folding.regroup(case, now)
        self._folding.settle(case, now)

    def _rise(self, case: Case, fact: Fact, now: Millis) -> None:
        if fact.severity == "critical" and case.told_as == "info" and (case.holds or case.alert is not None):
            case.fall(fact.at)  # the test has become serious: another alert
            if case.alert is not None:
                self._book.close_alert(case, now, SENSOR)
        if case.alert is None:
            case.what = _what(fact)
        if not case.holds:
            case.rise(fact.at, self._book.policy)

    def _hear(self, case: Case, now: Millis) -> None:
        deaf = self._book.deaf
        was_deaf = bool(deaf)
        (deaf.add if case.holds else deaf.discard)(case.key)
        if was_deaf and not deaf:
            self._book.listen_again(now)

    def _doubt(self, back: Fact, now: Millis) -> None:
        """A device is heard again: what it said before its silence counts once it had a ttl to say otherwise."""
        for case in self._cases.of_station(back.station or ""):
            resource = case.what.resource
            if case.pending_with_patience and resource is not None and resource.device == back.subject:
                case.not_before = max(case.not_before, now + resource.ttl_ms)
                self._book.arm(case)

    def _mute(self, change: Change, now: Millis) -> None:
        """Maintenance closes what is told of it; after it, or after closing time, the delays start anew."""
        book = self._book
        if not self._mutes.update(change):
            return
        for case in self._cases.of_station(change.resource.station):
            if case.alert is not None and not KINDS[case.kind].latched and book.around.in_maintenance(case):
                book.close_alert(case, now, MAINTENANCE)
                case.resting = case.holds
            case.not_before = max(case.not_before, now + self._book.policy.raise_delay_ms)
            book.arm(case)


def _what(fact: Fact) -> AlertWords:
    return AlertWords(fact.resource, fact.cause, fact.detail, fact.patience_ms, fact.severity)


def _key_of(fact: Fact) -> CaseKey:
    return fact.station or "", fact.subject, fact.kind
