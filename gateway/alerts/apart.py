"""One input, one risk: what the alert core fails over leaves no trace, costs no other, and is judged once more."""

from collections.abc import Callable, Sequence

from gateway.alerts.before import CasesBefore
from gateway.alerts.book import Book
from gateway.alerts.facts import Fact
from gateway.alerts.groups import Groups
from gateway.alerts.kinds import DEAFENING
from gateway.alerts.muting import Mutes
from gateway.alerts.news import is_news
from gateway.base.mishaps import Contained, Mishaps
from gateway.model import Change, Millis

TRY_AGAIN_MS = 10_000
Input = Change | Fact


class Apart:
    """Has each input judged for itself. Without `mishaps` a fault is raised, after all was put back."""

    def __init__(
        self, book: Book, groups: Groups, mutes: Mutes, judge: Callable[[Input, Millis], None], mishaps: Mishaps | None
    ) -> None:
        self._book, self._groups, self._mutes, self._judge, self._mishaps = book, groups, mutes, judge, mishaps
        self._again: dict[tuple[str, ...], tuple[Millis, Input]] = {}  # when to judge once more, and what

    def judge(self, told: Input, now: Millis, again_ms: Millis | None = TRY_AGAIN_MS) -> None:
        """Judge one input. If that fails it is judged once more after `again_ms`, unless newer news of the same come
        before."""
        if self._again:
            self._again.pop(_about(told), None)
        before = None
        try:
            if isinstance(told, Change) and not is_news(told, self._book.cases, self._groups, self._mutes):
                self._groups.follow(told)
                return
            before = self._before(told)
            self._judge(told, now)
        except Exception as error:  # noqa: BLE001  noted or raised
            if before is not None:
                before.restore()
            if again_ms is not None:
                self._again[_about(told)] = now + again_ms, told
            self.note("a rule of alerts", error, told.station if isinstance(told, Fact) else told.resource.station)

    def judge_all(self, changes: Sequence[Change], now: Millis) -> None:
        """At a start, when nothing was judged before: all together, and each for itself only where one fails."""
        before = self.before(None)
        try:
            for change in changes:
                self._judge(change, now)
        except Exception:  # noqa: BLE001  the one that it was over is found and noted now
            before.restore()
            self._groups.hear_all()
            self._mutes.clear()
            for change in changes:
                self.judge(change, now)

    def judge_again(self, now: Millis) -> None:
        """What is due of it. What fails a second time is given up."""
        for told in [told for due, told in self._again.values() if due <= now]:
            self.judge(told, now, None)

    @property
    def waits(self) -> bool:
        """Whether anything is to be judged once more, so that newer news of it matter whatever they say."""
        return bool(self._again)

    def next_deadline(self) -> Millis | None:
        return min((due for due, _ in self._again.values()), default=None)

    def before(self, station: str | None, *subjects: str) -> CasesBefore:
        """All that may be touched in a station, None for anywhere; see `CasesBefore`."""
        return CasesBefore(self._book, self._groups, self._mutes, station, *subjects)

    def _before(self, told: Input) -> CasesBefore:
        if isinstance(told, Change):
            return self.before(told.resource.station, told.resource.device, told.resource.id)
        station = told.station or ""
        if told.kind in DEAFENING:
            case = self._book.cases.get((station, told.subject, told.kind))
            if told.holds != (case is not None and case.holds):
                return self.before(None)  # all that live by hearing
        device = told.subject if told.resource is None else told.resource.device
        return self.before(station, device, told.subject)

    def note(self, what: str, error: Exception, station: str | None) -> None:
        if self._mishaps is None:
            raise error
        self._mishaps.note(what, error, station or None)

    def contained(self, what: str, station: str | None) -> Contained:
        """Whatever is raised inside costs what is inside."""
        return Contained(self.note, what, station)


def _about(told: Input) -> tuple[str, ...]:
    """What else may bring newer news of the same."""
    if isinstance(told, Fact):
        return told.station or "", told.subject, told.kind
    return told.resource.station, told.resource.id
