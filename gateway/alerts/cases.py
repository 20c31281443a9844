"""The table of cases."""

from gateway.alerts.case import Case, CaseKey


class Cases:
    """By station, so that a returning site does not search through all the others."""

    def __init__(self) -> None:
        self._by_station: dict[str, dict[CaseKey, Case]] = {}

    def get(self, key: CaseKey) -> Case | None:
        return self._by_station.get(key[0], {}).get(key)

    def add(self, case: Case) -> Case:
        return self._by_station.setdefault(case.key[0], {}).setdefault(case.key, case)

    def drop(self, case: Case) -> None:
        del self._by_station[case.key[0]][case.key]

    def count(self, station: str) -> int:
        return len(self._by_station.get(station, ()))

    def of_station(self, station: str) -> list[Case]:
        return list(self._by_station.get(station, {}).values())

    def all(self) -> list[Case]:
        return [case for cases in self._by_station.values() for case in cases.values()]
