"""What one input of the alert core may touch, as it was before, so that one that fails leaves no trace."""

from operator import attrgetter
from typing import Any

from gateway.alerts.book import Book
from gateway.alerts.case import Case
from gateway.alerts.groups import Groups
from gateway.alerts.kinds import KINDS
from gateway.alerts.muting import Mutes
from gateway.model import Millis

MANY = 64  # cases of a station; beyond, only those are copied that the input is about, and those of its groups
_STATE = ("what", "holds", "since", "fell", "not_before", "told", "resting", "alert", "recheck", "rises")
_state_of = attrgetter(*_STATE)


class CasesBefore:
    """Made before an input is judged; `restore` puts everything back."""

    __slots__ = (
        "_book",
        "_cases",
        "_deaf",
        "_grouped",
        "_muted",
        "_mutes",
        "_name",
        "_station",
        "_subjects",
        "_written",
    )

    def __init__(self, book: Book, groups: Groups, mutes: Mutes, station: str | None, *subjects: str) -> None:
        """`station` None: whatever is anywhere. `subjects`: the device and the resource that the input is about."""
        self._book, self._mutes, self._station = book, mutes, station
        self._name = subjects[0] if subjects else ""
        shared = groups.of(station, self._name) if station and self._name else ()
        self._subjects: set[str] | None = None
        if station is not None and subjects and book.cases.count(station) > MANY:
            self._subjects = {*subjects, *(group.name or station for group in shared)}
        around, due = self._around(), book.schedule.of
        self._cases: list[tuple[Case, tuple[Any, ...], Millis | None]] = (
            [(case, _state_of(case), due(case.key)) for case in around] if around else []
        )
        self._deaf, self._written = set(book.deaf), book.written()
        self._grouped = [(group, group.ttl_ms.get(self._name), group.silent.get(self._name)) for group in shared]
        self._muted = [(name, mutes.state(station, name)) for name in subjects] if station else []

    def _around(self) -> list[Case]:
        cases, station = self._book.cases, self._station
        if station is None:
            return cases.all()
        if self._subjects is None:
            return cases.of_station(station)
        cases_here = [cases.get((station, subject, kind)) for subject in self._subjects for kind in KINDS]
        return [case for case in cases_here if case is not None]

    def restore(self) -> None:
        book = self._book
        book.strike(self._written)
        book.deaf.clear()
        book.deaf.update(self._deaf)
        touched = {case.key: case for case in self._around()}
        for case in touched.values():
            book.cases.drop(case)
            book.schedule.put(case.key, None)
        book.open = {name: case for name, case in book.open.items() if case.key not in touched}
        for case, state, due in self._cases:
            for name, value in zip(_STATE, state, strict=True):
                setattr(case, name, value)
            book.cases.add(case)
            book.schedule.put(case.key, due)
            if case.alert is not None:
                book.open[case.alert.id] = case
        for group, ttl_ms, silent in self._grouped:
            _put(group.ttl_ms, self._name, ttl_ms)
            _put(group.silent, self._name, silent)
        for name, muted in self._muted:
            self._mutes.put_back(self._station or "", name, muted)


def _put(table: dict[str, Millis], name: str, value: Millis | None) -> None:
    if value is None:
        table.pop(name, None)
    else:
        table[name] = value
