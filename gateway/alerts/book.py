"""Every case with its alert: what is done to one becomes an event here, and here stands when each is looked at next."""

from dataclasses import replace

from gateway.alerts.case import Case, CaseKey, Policy, alert_id
from gateway.alerts.cases import Cases
from gateway.alerts.due import Step, due_at, held_back, step_of
from gateway.alerts.kinds import GROUP_KINDS, KINDS, severity_of
from gateway.alerts.schedule import Schedule
from gateway.alerts.surroundings import Surroundings
from gateway.alerts.words import SENSOR, Action, Alert, AlertEvent
from gateway.model import Millis


class Book:
    """`open` by the id of its alert; `deaf` holds what keeps us from hearing devices."""

    def __init__(self, cases: Cases, around: Surroundings, policy: Policy) -> None:
        self.cases, self.around, self.policy = cases, around, policy
        self.recheck_ms = _recheck_ms(policy)
        self.open: dict[str, Case] = {}
        self.deaf: set[CaseKey] = set()
        self.schedule: Schedule[CaseKey] = Schedule()
        self._events: list[AlertEvent] = []

    def judge_by(self, policy: Policy) -> None:
        """From now on."""
        self.policy, self.recheck_ms = policy, _recheck_ms(policy)
        for case in self.cases.all():
            self.arm(case)

    def step(self, case: Case, now: Millis) -> Step:
        """What is due of it."""
        return step_of(case, self._due_at(case), now)

    def arm(self, case: Case) -> None:
        """Have it looked at when something is due."""
        self.schedule.put(case.key, self._due_at(case))

    def _due_at(self, case: Case) -> Millis | None:
        return due_at(case, self.around, self.policy, deaf=bool(self.deaf))

    def settle(self, case: Case, now: Millis) -> None:
        """Do what is due of this case alone, and arm it."""
        match self.step(case, now):
            case "forget":
                self.cases.drop(case)
                self.schedule.put(case.key, None)
                return
            case "close":
                self.close_alert(case, now, SENSOR)
            case "open":
                self._open_alert(case, now)
            case "look":
                case.recheck = now + self.recheck_ms
        self.arm(case)

    def _open_alert(self, case: Case, now: Millis) -> None:
        later = held_back(case, self.around, now, self.recheck_ms)
        if later is not None:
            case.not_before = later
            return
        station, subject, kind = case.key
        resource, cause, detail, _, severity = case.what
        if case.resting:  # what was told before the maintenance is over; this is another alert
            case.resting, case.since = False, now
        # What is told milder than its kind may become serious in the same moment, and is another alert then.
        name = case.key if severity in (None, KINDS[kind].severity) else (station, subject, f"{kind}/{severity}")
        case.alert = Alert(
            alert_id(name, case.since), station or None, subject, resource.id if resource else None, kind,
            severity or severity_of(kind, resource), "open", case.since, now, now, cause, detail,
        )  # fmt: skip
        self.open[case.alert.id] = case
        if kind in GROUP_KINDS:
            case.recheck = now + self.recheck_ms
        self.say(case, "opened", now)

    def close_alert(self, case: Case, now: Millis, by: str) -> None:
        """What it explained may be told now."""
        self.say(case, "closed", now, by, state="closed", closed_by=by)
        assert case.alert is not None
        del self.open[case.alert.id]
        case.alert = case.recheck = None
        if case.kind in GROUP_KINDS:
            self.listen_again(now, case.key[0])
        for other in self.cases.of_station(case.key[0]):
            if other.key[1] == case.key[1] and other is not case:
                self.arm(other)

    def say(
        self, case: Case, action: Action, now: Millis, by: str = SENSOR, *, text: str | None = None, **new: object
    ) -> None:
        """One line of its alert's history; `new` are fields of the alert that change with it."""
        assert case.alert is not None
        case.alert = replace(case.alert, changed_at=now, **new)  # type: ignore[arg-type]
        self._events.append(AlertEvent(case.alert, now, action, by, text))

    def listen_again(self, now: Millis, station: str | None = None) -> None:
        """We can hear again (or only just started): a silence counts once its device had a ttl to speak."""
        for case in self.cases.all() if station is None else self.cases.of_station(station):
            self.allow_grace(case, now)

    def allow_grace(self, case: Case, now: Millis) -> None:
        """Its device has a ttl to speak before its silence is told."""
        if case.lives_by_hearing and case.alert is None:
            case.not_before = max(case.not_before, now + self.around.grace_ms(case))
            self.arm(case)

    def collect(self) -> list[AlertEvent]:
        """The events since the last time."""
        events, self._events = self._events, []
        return events

    def written(self) -> int:
        """How many events wait for `collect`."""
        return len(self._events)

    def strike(self, beyond: int) -> None:
        """Take back the waiting events but for the first `beyond`."""
        del self._events[beyond:]


def _recheck_ms(policy: Policy) -> Millis:
    return max(policy.raise_delay_ms, 1_000)
