"""Alerts follow another configuration: what is about things that went ends with that reason, the rest goes on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.alerts.book import Book
from gateway.alerts.case import Case, Policy
from gateway.alerts.groups import Groups
from gateway.alerts.muting import Mutes
from gateway.alerts.words import REMOVED, AlertEvent
from gateway.model import Millis, Resource

Subject = tuple[str, str]
"""A station, and what in it an alert is about: a resource, a device, a check, an entrance."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """`gone`: resources that are no longer, or another thing now; `here`: those that are new or told anew. `stations`:
    all that there are, `removed` those that went. `ended`: checks and entrances that are no longer.
    """

    gone: Collection[Resource]
    here: Collection[Resource]
    stations: Collection[str]
    removed: Collection[str] = ()
    ended: Collection[Subject] = ()


class Succession:
    """Belongs to the alert core."""

    def __init__(self, book: Book, groups: Groups, mutes: Mutes) -> None:
        self._book, self._groups, self._mutes = book, groups, mutes

    def follow(self, succeeded: Succeeded, now: Millis) -> list[AlertEvent]:
        gone = {(resource.station, resource.id) for resource in succeeded.gone}
        devices = {(resource.station, resource.device) for resource in succeeded.gone}
        self._mutes.follow(succeeded.gone, succeeded.here, succeeded.stations)
        silent = {key for key in devices if not self._mutes.of_device(*key)}
        for station, device in silent:
            self._groups.forget(station, device)
        self._groups.renew(succeeded.here)
        subjects = gone | silent | set(succeeded.ended)
        touched = {resource.station for resource in (*succeeded.gone, *succeeded.here)} | {name for name, _ in subjects}
        for station in touched | set(succeeded.removed):
            for case in self._book.cases.of_station(station):
                if station in succeeded.removed or self._is_over(case, gone, subjects):
                    self._end(case, now)
                else:
                    self._renew(case)
        return self._book.collect()

    def judge_by(self, policy: Policy, bridges: Mapping[Subject, str]) -> None:
        """From now on; devices speak through these bridges."""
        self._groups.bridge(bridges)
        self._mutes.mute_when_closed = policy.mute_when_closed
        self._book.judge_by(policy)

    @staticmethod
    def _is_over(case: Case, gone: set[Subject], subjects: set[Subject]) -> bool:
        station, subject, _ = case.key
        if (station, subject) in subjects:
            return True
        about = case.what.resource.id if case.what.resource is not None else None
        resource = case.alert.resource if case.alert is not None else about
        return resource is not None and (station, resource) in gone

    def _end(self, case: Case, now: Millis) -> None:
        book = self._book
        if case.alert is not None:
            case.fall(now)
            book.close_alert(case, now, REMOVED)
        book.cases.drop(case)
        book.schedule.put(case.key, None)

    def _renew(self, case: Case) -> None:
        """It speaks of the resource as it is configured now."""
        about = case.what.resource
        known = None if about is None else self._mutes.resource(case.key[0], about.id)
        if known is not None and known is not about:
            case.what = case.what._replace(resource=known)
        self._book.arm(case)
