"""The table of cases, and what must be asked before one becomes an alert: is it part of something larger?"""

from collections.abc import Iterable, Sequence

from gateway.alerts.case import Case, Key, What
from gateway.alerts.groups import Group, Groups, Heard
from gateway.alerts.kinds import GROUP_KINDS
from gateway.alerts.muting import Mutes
from gateway.model import Millis, Resource


class Cases:
    """By station, so that a returning site does not search through all the others."""

    def __init__(self) -> None:
        self._by_station: dict[str, dict[Key, Case]] = {}

    def get(self, key: Key) -> Case | None:
        return self._by_station.get(key[0], {}).get(key)

    def add(self, case: Case) -> Case:
        return self._by_station.setdefault(case.key[0], {}).setdefault(case.key, case)

    def drop(self, case: Case) -> None:
        del self._by_station[case.key[0]][case.key]

    def of_station(self, station: str) -> list[Case]:
        return list(self._by_station.get(station, {}).values())

    def all(self) -> list[Case]:
        return [case for cases in self._by_station.values() for case in cases.values()]


class Context:
    """What lies around a case: its group, its resources, and whether its device can still be heard."""

    def __init__(self, cases: Cases, groups: Groups, mutes: Mutes, heard: Heard) -> None:
        self._cases, self._groups, self._mutes, self._heard = cases, groups, mutes, heard

    def group_case(self, group: Group) -> Case:
        """The case of a group; a fresh one, not yet in the table, where it never was silent."""
        key = (group.station, group.name or group.station, group.kind)
        return self._cases.get(key) or Case(key, What(None, "", {}))

    def group(self, case: Case) -> Group:
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
