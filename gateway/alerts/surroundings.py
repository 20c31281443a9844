"""What must be asked before a case becomes an alert: is it part of something larger, and can anybody tell?"""

from collections.abc import Iterable, Sequence

from gateway.alerts.case import AlertWords, Case
from gateway.alerts.cases import Cases
from gateway.alerts.groups import DeviceGroup, Groups, LastHeard
from gateway.alerts.kinds import GROUP_KINDS, KINDS
from gateway.alerts.muting import Mutes
from gateway.model import Millis, Resource


class Surroundings:
    """A case's group, its resources, and whether its device can still be heard. It only answers."""

    def __init__(self, cases: Cases, groups: Groups, mutes: Mutes, heard: LastHeard) -> None:
        self._cases, self._groups, self._mutes, self._heard = cases, groups, mutes, heard

    def group_case(self, group: DeviceGroup) -> Case:
        """The case of a group; a fresh one, not yet in the table, where it never was silent."""
        key = (group.station, group.name or group.station, group.kind)
        return self._cases.get(key) or Case(key, AlertWords(None, "", {}))

    def group(self, case: Case) -> DeviceGroup:
        """The group that a group's case is about."""
        return self._groups.get(case.key[0], None if case.kind == "station_offline" else case.key[1])

    def folded(self, case: Case) -> bool:
        """Swallowed by what explains it, while that holds or its alert is not yet closed."""
        return any(cause.holds or cause.alert is not None for cause in self._explanations(case))

    def _explanations(self, case: Case) -> Iterable[Case]:
        station, subject, kind = case.key
        if kind == "device_silent":
            yield from map(self.group_case, self._groups.of(station, subject))
        elif kind == "bridge_offline":
            yield self.group_case(self._groups.get(station, None))

    def in_touch(self, case: Case, now: Millis) -> bool:
        """What is normal for a while is no trouble while its device is silent or overdue: the line may be dead."""
        resource = case.what.resource
        if not case.what.patience_ms or resource is None:
            return True
        last = self._heard(resource.station, resource.device) or 0
        silence = self._cases.get((resource.station, resource.device, "device_silent"))
        return now - last < resource.ttl_ms * 2 // 3 and (silence is None or not silence.holds)

    def voice(self, case: Case) -> Millis:
        """Since when others' silence means something beside this one: a stale device tells nothing about its peers
        since half its ttl, a last will is news of its very moment."""
        station, device, _ = case.key
        last = self._heard(station, device)
        if case.what.cause == "offline" or last is None or case.what.resource is None:
            return case.since
        return last + case.what.resource.ttl_ms // 2

    def grace_ms(self, case: Case) -> Millis:
        """How long its devices may take to speak once they can be heard again."""
        if case.kind in GROUP_KINDS:
            return self.group(case).grace_ms()
        return self._mutes.ttl_ms(self.subjects(case))

    def subjects(self, case: Case) -> Sequence[Resource]:
        """Every resource that the case is about."""
        station, subject, kind = case.key
        if kind in GROUP_KINDS:
            devices = self.group(case).ttl_ms
            return [resource for device in devices for resource in self._mutes.of_device(station, device)]
        if kind == "device_silent":
            return self._mutes.of_device(station, subject)
        return () if case.what.resource is None else (case.what.resource,)

    def resource(self, station: str | None, resource: str | None) -> Resource | None:
        """The configured one of this name."""
        return self._mutes.resource(station, resource)

    def muted(self, case: Case) -> bool:
        """All that it is about is closed or worked on, so nobody need know."""
        return self._mutes.muted(KINDS[case.kind].muting, self.subjects(case))

    def in_maintenance(self, case: Case) -> bool:
        """Staff work on all that it is about."""
        return self._mutes.in_maintenance(KINDS[case.kind].muting, self.subjects(case))
