"""Forty silent devices are one router: silences are judged together, and one that is not alone is not told."""

from gateway.alerts.book import Book
from gateway.alerts.case import AlertWords, Case
from gateway.alerts.groups import DeviceGroup, Groups, LastHeard
from gateway.model import Millis


class Folding:
    """Keeps the groups of silent devices; opens and ends the cases that are about a group."""

    def __init__(self, book: Book, groups: Groups, heard: LastHeard) -> None:
        self._book, self._groups, self._heard = book, groups, heard

    def regroup(self, case: Case, now: Millis) -> None:
        """A device fell silent, or speaks again."""
        station, device, _ = case.key
        voice = case.rises[0] if case.flapping(self._book.policy) else self._book.around.voice(case)
        for group in self._groups.of(station, device):
            if case.holds:
                group.silent[device] = voice
            else:
                group.silent.pop(device, None)
            self._judge(group, now)

    def settle(self, case: Case, now: Millis) -> None:
        """Do what is due of it; of a silence only where it is the device's own."""
        book = self._book
        step = book.step(case, now)
        if step == "look":
            case.recheck = now + book.recheck_ms
            self._judge(book.around.group(case), now)
            book.arm(case)
        elif step == "open" and case.kind == "device_silent" and not self._is_alone(case, now):
            book.arm(case)
        else:
            book.settle(case, now)

    def _judge(self, group: DeviceGroup, now: Millis) -> None:
        book, pct = self._book, self._book.policy.site_offline_pct
        case = book.around.group_case(group)
        if not case.holds and group.mostly_silent(pct):
            self._goes_offline(group, now, now)
        elif case.holds and group.is_back(case.since, pct, self._heard):
            case.fall(now)
            if case.alert is None:
                book.listen_again(now, group.station)
            book.arm(case)

    def _goes_offline(self, group: DeviceGroup, since: Millis, now: Millis) -> None:
        book = self._book
        case = book.cases.add(book.around.group_case(group))
        if case.alert is None:
            case.what = AlertWords(None, "all_silent", {"silent": len(group.silent), "of": len(group.ttl_ms)})
        case.rise(since, book.policy)
        book.settle(case, now)

    def _is_alone(self, case: Case, now: Millis) -> bool:
        """False: a group took it over, or it must wait to see what the others do. Not asked while staff work on it."""
        if self._book.around.in_maintenance(case):
            return True
        waits = False
        for group in self._groups.of(case.key[0], case.key[1]):
            verdict = group.verdict(case.key[1], now, self._heard)
            if verdict == "offline":
                self._goes_offline(group, case.since, now)
                return False
            waits = waits or verdict == "wait"
        if waits:
            case.not_before = now + self._book.recheck_ms
        return not waits
