"""The alert core: changes and facts in, alert events out. No I/O, no clock, one thread; the same input gives the same.

Four rules stand above the delays. Missing data never clears. A device is not blamed while we are deaf ourselves.
Forty silent devices are one router. And what was told once is not told again, whatever restarts in between.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gateway.alerts.case import Case, Key, Policy, What, alert_id
from gateway.alerts.cases import Cases, Context
from gateway.alerts.facts import Fact
from gateway.alerts.groups import Group, Groups, Heard
from gateway.alerts.kinds import DEAFENING, GROUP_KINDS, KINDS, severity_of
from gateway.alerts.muting import Mutes
from gateway.alerts.rules import facts_of
from gateway.alerts.schedule import Schedule
from gateway.alerts.words import MAINTENANCE, SENSOR, Action, Alert, AlertEvent, UnknownAlertError
from gateway.model import Change, Millis, Resource

_STARTING: Key = ("", "", "starting")
_WORK_RECHECK_MS = 60_000
_TRY_AGAIN_MS = 10_000


class Alerts:
    """What is wrong now. `restore` what the store knew, `prime` with every resource as it is, then feed it."""

    def __init__(
        self,
        resources: Iterable[Resource],
        heard: Heard,
        policy: Policy | None = None,
        bridges: Mapping[tuple[str, str], str] | None = None,
        worked_on: Callable[[Resource], bool] = lambda _: False,
    ) -> None:
        """`heard(station, device)` says when that was last heard; `bridges` names the bridge of (station, device);
        `worked_on` says whether somebody has a resource in maintenance by hand.
        """
        self._policy = policy or Policy()
        self._heard = heard
        self._recheck_ms = max(self._policy.raise_delay_ms, 1_000)
        self._mutes = Mutes(resources, self._policy.mute_when_closed, worked_on)
        self._cases = Cases()
        self._open: dict[str, Case] = {}
        self._groups = Groups(bridges or {})
        self._around = Context(self._cases, self._groups, self._mutes, heard)
        self._deaf: set[Key] = set()
        self._schedule: Schedule[Key] = Schedule()
        self._events: list[AlertEvent] = []

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take up what the store knew: open alerts, and those that staff closed while the condition still held."""
        for alert in alerts:
            if alert.state == "closed" and KINDS[alert.kind].latched:
                continue  # over and done with: the next one is new
            key = (alert.station or "", alert.subject, alert.kind)
            resource = self._mutes.resource(alert.station, alert.resource)
            case = Case(key, What(resource, alert.cause, alert.detail), holds=True, since=alert.since)
            case.rises = [alert.since]
            self._cases.add(case)
            if alert.state == "closed":
                case.resting = alert.closed_by == MAINTENANCE
                case.told = not case.resting
            else:
                case.alert = alert
                self._open[alert.id] = case
            if alert.kind in DEAFENING:
                self._deaf.add(key)
        for case in self._cases.all():
            self._arm(case)

    def prime(self, states: Iterable[Change], now: Millis) -> list[AlertEvent]:
        """Every resource as it is (`after`, `at` = since when) at start; silences get one ttl to prove us wrong."""
        states = list(states)
        for state in states:
            self._groups.follow(state)
        self._deaf.add(_STARTING)
        events = self.on_changes(states, now)
        self._deaf.discard(_STARTING)
        for case in list(self._open.values()):
            if case.alert is not None and case.key[0] and not self._mutes.knows(case.key[0], case.alert.resource):
                case.fall(now)
                self._shut(case, now, SENSOR)
        self._listen_again(now)
        for case in self._cases.all():
            if case.kind in GROUP_KINDS:
                case.recheck = now + self._recheck_ms
                self._arm(case)
        return events + self._collect()

    def on_changes(self, changes: Iterable[Change], now: Millis) -> list[AlertEvent]:
        """Visible changes in order."""
        for change in changes:
            self._mute(change, now)
            self._groups.follow(change)
            for fact in facts_of(change):
                self._learn(fact, now)
        return self._collect()

    def on_facts(self, facts: Iterable[Fact], now: Millis) -> list[AlertEvent]:
        """Conditions that the axes don't show, and our own troubles."""
        for fact in facts:
            self._learn(fact, now)
        return self._collect()

    def tick(self, now: Millis) -> list[AlertEvent]:
        """Whatever is due by `now`: raise, clear, look again."""
        while (key := self._schedule.pop(now)) is not None:
            try:
                self._wake(key, now)
            except Exception:
                self._schedule.put(key, now + _TRY_AGAIN_MS)  # whoever called learns of it, and the others come next
                raise
        return self._collect()

    def next_deadline(self) -> Millis | None:
        """When `tick` has something to do, or None."""
        return self._schedule.next()

    def open_alerts(self) -> list[Alert]:
        """Open and acknowledged alerts, oldest first. Any thread may ask."""
        alerts = [alert for case in self._open.copy().values() if (alert := case.alert) is not None]
        return sorted(alerts, key=lambda alert: (alert.opened_at, alert.id))

    def find(self, alert_id: str) -> Alert | None:
        """The open alert of this id."""
        case = self._open.get(alert_id)
        return case.alert if case is not None else None

    def holds(self, alert: Alert) -> bool:
        """Does the sensor still say so?"""
        case = self._case(alert)
        return case is not None and case.holds

    def rests(self, alert: Alert) -> bool:
        """Was it closed for maintenance, and is not yet judged anew?"""
        case = self._case(alert)
        return case is not None and case.resting

    def _case(self, alert: Alert) -> Case | None:
        return self._cases.get((alert.station or "", alert.subject, alert.kind))

    def acknowledge(self, alert_id: str, by: str, now: Millis) -> list[AlertEvent]:
        """Somebody takes care: no escalation. A second time says nothing new. UnknownAlertError if closed."""
        case, alert = self._known(alert_id)
        if alert.state != "acknowledged":
            self._say(case, "acknowledged", now, by, state="acknowledged", acknowledged_by=by)
            self._arm(case)
        return self._collect()

    def close(self, alert_id: str, by: str, now: Millis) -> list[AlertEvent]:
        """Closed by hand: silent until the condition has gone and come again. UnknownAlertError if closed."""
        case, _ = self._known(alert_id)
        self._shut(case, now, by)
        if KINDS[case.kind].latched:
            case.holds = False
        case.told = case.holds
        self._arm(case)
        return self._collect()

    def comment(self, alert_id: str, by: str, text: str, now: Millis) -> list[AlertEvent]:
        """Staff leave a word. UnknownAlertError if closed."""
        case, _ = self._known(alert_id)
        self._say(case, "commented", now, by, text=text)
        return self._collect()

    # --- learning

    def _learn(self, fact: Fact, now: Millis) -> None:
        if fact.holds is None:
            return
        key = (fact.station or "", fact.subject, fact.kind)
        case = self._cases.get(key)
        if case is None:
            if not fact.holds:
                return
            case = self._cases.add(Case(key, What(fact.resource, fact.cause, fact.detail, fact.patience_ms)))
        if fact.holds:
            self._rise(case, fact)
        elif case.holds and not KINDS[fact.kind].latched:
            case.fall(fact.at)
            if case.kind == "device_silent":
                self._doubt(fact, now)
        if case.kind in DEAFENING:
            self._hear(case, now)
        if case.kind == "device_silent":
            self._regroup(case, now)
        self._settle(case, now)

    def _rise(self, case: Case, fact: Fact) -> None:
        if case.alert is None:
            case.what = What(fact.resource, fact.cause, fact.detail, fact.patience_ms)
        if not case.holds:
            case.rise(fact.at, self._policy)

    def _hear(self, case: Case, now: Millis) -> None:
        was_deaf = bool(self._deaf)
        (self._deaf.add if case.holds else self._deaf.discard)(case.key)
        if was_deaf and not self._deaf:
            self._listen_again(now)

    def _doubt(self, back: Fact, now: Millis) -> None:
        """A device is heard again: what it said before its silence counts once it had a ttl to say otherwise."""
        for case in self._cases.of_station(back.station or ""):
            resource = case.what.resource
            if case.pending_with_patience and resource is not None and resource.device == back.subject:
                case.not_before = max(case.not_before, now + resource.ttl_ms)
                self._arm(case)

    def _mute(self, change: Change, now: Millis) -> None:
        """Maintenance closes what is told of it; after it, or after closing time, the delays start anew."""
        if not self._mutes.update(change):
            return
        for case in self._cases.of_station(change.resource.station):
            if case.alert is not None and not KINDS[case.kind].latched and self._in_maintenance(case):
                self._shut(case, now, MAINTENANCE)
                case.resting = case.holds
            case.not_before = max(case.not_before, now + self._policy.raise_delay_ms)
            self._arm(case)

    def _in_maintenance(self, case: Case) -> bool:
        return self._mutes.in_maintenance(KINDS[case.kind].muting, self._around.subjects(case))

    def _listen_again(self, now: Millis, station: str | None = None) -> None:
        """We can hear again (or only just started): a silence counts once its device had a ttl to speak."""
        for case in self._cases.all() if station is None else self._cases.of_station(station):
            if case.lives_by_hearing and case.alert is None:
                case.not_before = max(case.not_before, now + self._around.grace_ms(case))
                self._arm(case)

    # --- folding

    def _regroup(self, case: Case, now: Millis) -> None:
        station, device, _ = case.key
        voice = case.rises[0] if case.flapping(self._policy) else self._around.voice(case)
        for group in self._groups.of(station, device):
            if case.holds:
                group.silent[device] = voice
            else:
                group.silent.pop(device, None)
            self._judge(group, now)

    def _judge(self, group: Group, now: Millis) -> None:
        case = self._around.group_case(group)
        if not case.holds and group.mostly_silent(self._policy.site_offline_pct):
            self._group_offline(group, now, now)
        elif case.holds and group.is_back(case.since, self._policy.site_offline_pct, self._heard):
            case.fall(now)
            if case.alert is None:
                self._listen_again(now, group.station)
            self._arm(case)

    def _group_offline(self, group: Group, since: Millis, now: Millis) -> None:
        case = self._around.group_case(group)
        self._cases.add(case)
        if case.alert is None:
            case.what = What(None, "all_silent", {"silent": len(group.silent), "of": len(group.ttl_ms)})
        case.rise(since, self._policy)
        self._settle(case, now)

    def _is_alone(self, case: Case, now: Millis) -> bool:
        """Judge a silence that is due. False: a group took it over, or it must wait to see what the others do."""
        waits = False
        for group in self._groups.of(case.key[0], case.key[1]):
            verdict = group.verdict(case.key[1], now, self._heard)
            if verdict == "offline":
                self._group_offline(group, case.since, now)
                return False
            waits = waits or verdict == "wait"
        if waits:
            case.not_before = now + self._recheck_ms
        return not waits

    def _may_raise(self, case: Case, now: Millis) -> bool:
        """False: not now, and `not_before` says when to ask again, unless something larger took it over."""
        if self._in_maintenance(case):
            case.not_before = now + _WORK_RECHECK_MS
            return False
        if case.kind == "device_silent":
            return self._is_alone(case, now)
        in_touch = self._around.in_touch(case, now)
        if not in_touch:
            case.not_before = now + self._recheck_ms
        return in_touch

    # --- settling

    def _arm(self, case: Case) -> None:
        self._schedule.put(case.key, self._due(case))

    def _due(self, case: Case) -> Millis | None:
        policy, kind = self._policy, KINDS[case.kind]
        if not case.holds:
            return case.clear_at(policy) if case.alert else case.fell + policy.flap_hold_ms
        if case.alert is not None:
            return case.recheck
        deaf = case.lives_by_hearing and bool(self._deaf)
        if (
            case.told
            or deaf
            or self._around.folded(case)
            or self._mutes.muted(kind.muting, self._around.subjects(case))
        ):
            return None
        return case.raise_at(policy)

    def _wake(self, key: Key, now: Millis) -> None:
        case = self._cases.get(key)
        assert case is not None
        self._settle(case, now)

    def _settle(self, case: Case, now: Millis) -> None:
        due = self._due(case)
        if due is not None and due <= now:
            self._act(case, now)
        if self._cases.get(case.key) is case:
            self._arm(case)

    def _act(self, case: Case, now: Millis) -> None:
        if not case.holds:
            if case.alert is None:
                self._cases.drop(case)
                self._schedule.put(case.key, None)
            else:
                self._shut(case, now, SENSOR)
        elif case.alert is None:
            if self._may_raise(case, now):
                self._raise(case, now)
        else:
            case.recheck = now + self._recheck_ms
            self._judge(self._around.group(case), now)

    def _raise(self, case: Case, now: Millis) -> None:
        station, subject, kind = case.key
        resource, cause, detail, _ = case.what
        if case.resting:  # what was told before the maintenance is over; this is another alert
            case.resting, case.since = False, now
        case.alert = Alert(
            alert_id(case.key, case.since), station or None, subject, resource.id if resource else None, kind,
            severity_of(kind, resource), "open", case.since, now, now, cause, detail,
        )  # fmt: skip
        self._open[case.alert.id] = case
        if kind in GROUP_KINDS:
            case.recheck = now + self._recheck_ms
        self._say(case, "opened", now)

    def _shut(self, case: Case, now: Millis, by: str) -> None:
        self._say(case, "closed", now, by, state="closed", closed_by=by)
        assert case.alert is not None
        del self._open[case.alert.id]
        case.alert = case.recheck = None
        if case.kind in GROUP_KINDS:
            self._listen_again(now, case.key[0])
        for other in self._cases.of_station(case.key[0]):
            if other.key[1] == case.key[1] and other is not case:
                self._arm(other)

    def _say(
        self, case: Case, action: Action, now: Millis, by: str = SENSOR, *, text: str | None = None, **new: object
    ) -> None:
        assert case.alert is not None
        case.alert = replace(case.alert, changed_at=now, **new)  # type: ignore[arg-type]
        self._events.append(AlertEvent(case.alert, now, action, by, text))

    def _known(self, alert_id: str) -> tuple[Case, Alert]:
        case = self._open.get(alert_id)
        if case is None or case.alert is None:
            raise UnknownAlertError(alert_id)
        return case, case.alert

    def _collect(self) -> list[AlertEvent]:
        events, self._events = self._events, []
        return events
