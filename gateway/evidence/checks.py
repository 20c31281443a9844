"""Checks by people (巡检): what one says, for how long its word holds, and when it is missed. Pure.

An `ok` is evidence that expires; a `problem` stays one until a later `ok`, or until a person has seen that the work
ordered for it is done (`verified`). Time runs only on days on which the place is open.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal, Protocol
from zoneinfo import ZoneInfo

import msgspec

from gateway.base.local_time import DAY_MS, day_of, local_of, midnight_of
from gateway.model import Access, Millis
from gateway.policy.text import LONGEST_NAME, bounded

Result = Literal["ok", "problem", "verified"]
HELD_OVER = 3, 2
"""A check holds for so many times its period: as numerator and denominator."""
LONGEST_NOTE: Final = 300
AHEAD_MS: Final = 300_000
"""A phone's clock may be so far ahead of ours."""
BACK_MS: Final = 30 * DAY_MS
"""What was entered without network comes so late at most."""
IDS_KEPT_MS: Final = BACK_MS + DAY_MS
LONGEST_CLOSED_DAYS: Final = 400
"""A place that is closed for longer is not waited for."""
MOST_COUNTED: Final = 1_000_000
_SHUT = ("closed", "staff_only")

CheckName = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,64}$")]
ReportId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class CheckReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person said of one check, as it stands in the journal. `ts`: when it was seen; `by`: whose key, or `link`.

    `verified` is said by whoever verifies the order that followed a problem.
    """

    id: ReportId
    check: CheckName
    ts: Annotated[Millis, msgspec.Meta(ge=0, lt=2**53)]
    result: Result
    note: str = ""
    expires: date | None = None
    count: Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)] | None = None
    by: str = ""

    def tidied(self) -> "CheckReport":
        """Its texts within bounds, without numbers of persons."""
        return msgspec.structs.replace(self, note=bounded(self.note, LONGEST_NOTE), by=bounded(self.by, LONGEST_NAME))


class StoredCheck(msgspec.Struct, frozen=True):
    """A report with where it belongs and when it came."""

    station: str
    report: CheckReport
    received_at: Millis


class AskedOpening(Protocol):
    """See live/places."""

    def at(self, now: Millis, /) -> tuple[Access, Millis | None]: ...


class OpenDays:
    """On which days a place is open, at some time of them. Hours that nobody knows count as open.

    Share it between places with the same hours: each day is looked at once, in order, from the first one asked for.
    """

    def __init__(self, opening: AskedOpening, zone: ZoneInfo) -> None:
        self._opening, self._zone = opening, zone
        self._first = 0  # the number of the first day known
        self._open_ms = array("q", [0])  # of open days before each day, and before the one after the last
        self._closed = 0  # days at the end that are closed, in a row
        self._given_up: list[tuple[int, int]] = []  # such rows of closed days, the first and the one after the last

    def after(self, start: Millis, length_ms: Millis) -> Millis:
        """When so much time of open days has passed since `start`."""
        access, until = self._opening.at(start)
        if until is None and access not in _SHUT:
            return start + length_ms
        day = self._number(start)
        self._know(day)
        into = start - day_of(day, self._zone) if self._is_open(day) else 0
        target = self._open_ms[day - self._first] + into + length_ms
        while self._open_ms[-1] < target:
            if self._end - max(day, self._end - self._closed) >= LONGEST_CLOSED_DAYS:
                return start + length_ms
            self._look_on()
        last = bisect_left(self._open_ms, target) - 1 + self._first
        if any(min(end, last) - max(begin, day) >= LONGEST_CLOSED_DAYS for begin, end in self._given_up):
            return start + length_ms
        return day_of(last, self._zone) + target - self._open_ms[last - self._first]

    def end_of(self, day: date) -> Millis:
        """When this day is over there."""
        return midnight_of(day, self._zone) + DAY_MS

    @property
    def _end(self) -> int:
        """The first day that nobody has asked for."""
        return self._first + len(self._open_ms) - 1

    def _number(self, at: Millis) -> int:
        return (local_of(at, self._zone).date() - date(1970, 1, 1)).days

    def _is_open(self, day: int) -> bool:
        return self._open_ms[day - self._first + 1] > self._open_ms[day - self._first]

    def _know(self, day: int) -> None:
        """That day is among those known. Of one before the first all begins anew, a year earlier: more may follow."""
        if len(self._open_ms) == 1:
            self._first = day
        elif day < self._first:
            self._first, self._closed = day - LONGEST_CLOSED_DAYS, 0
            self._open_ms, self._given_up = array("q", [0]), []
        while self._end <= day:
            self._look_on()

    def _look_on(self) -> None:
        """One day more."""
        begin, end = day_of(self._end, self._zone), day_of(self._end + 1, self._zone)
        if self._open_on(begin, end):
            if self._closed >= LONGEST_CLOSED_DAYS:
                self._given_up.append((self._end - self._closed, self._end))
            self._closed = 0
            self._open_ms.append(self._open_ms[-1] + end - begin)
        else:
            self._closed += 1
            self._open_ms.append(self._open_ms[-1])

    def _open_on(self, begin: Millis, end: Millis) -> bool:
        at: Millis | None = begin
        while at is not None and at < end:
            access, until = self._opening.at(at)
            if access not in _SHUT:
                return True
            at = until
        return False


CheckWord = tuple[CheckReport | None, date | None, Millis | None, Millis, Millis | None]
"""What a check knows, to be put back as it was."""


class CheckState:
    """One check of one station, and what is known of it. `since`: when it was first asked for.

    `until`: when it stops holding, worked out when it is asked for; `alarm` belongs to the heap of deadlines.
    """

    __slots__ = (
        "_days",
        "_from",
        "_holds_ms",
        "_until",
        "alarm",
        "entry",
        "expired_at",
        "expires",
        "id",
        "last",
        "of",
        "since",
        "station",
    )

    def __init__(
        self, station: str, name: str, of: Sequence[str], period_ms: Millis, days: OpenDays, since: Millis,
        *, entry: bool = False,
    ) -> None:  # fmt: skip
        times, over = HELD_OVER
        self.station, self.id, self.of, self.entry = station, name, tuple(of), entry
        self.expired_at: Millis | None = None
        self._holds_ms, self._days = period_ms * times // over, days
        self.last: CheckReport | None = None
        self.expires: date | None = None
        self.alarm: Millis | None = None
        self._from = since
        self._until: Millis | None = None
        self.begin(since)

    def begin(self, since: Millis) -> None:
        """It is asked for since then."""
        self.since = since
        if self.last is None:
            self._from, self._until = since, None

    def goes_on(self, before: "CheckState") -> None:
        """It is the same check under another configuration: what people said holds, for as long as it now may."""
        self.begin(before.since)
        if before.last is not None:
            self.take(before.last)
        if self.expires is None and before.expires is not None:
            self.expires, self.expired_at = before.expires, self._days.end_of(before.expires)

    def take(self, report: CheckReport) -> bool:
        """True if it is news: not older than the last one, and not the same."""
        last = self.last
        if last is not None and (report.ts < last.ts or report.id == last.id):
            return False
        self.last = report
        if report.expires is not None:
            self.expires, self.expired_at = report.expires, self._days.end_of(report.expires)
        self._from, self._until = report.ts, None
        return True

    @property
    def until(self) -> Millis:
        """When it stops holding."""
        if self._until is None:
            self._until = self._days.after(self._from, self._holds_ms)
        return self._until

    @property
    def holds_until(self) -> Millis:
        """So long it holds at least: if all days were open. That costs nothing."""
        return self._from + self._holds_ms if self._until is None else self._until

    @property
    def problem(self) -> bool:
        """Somebody found it wrong, and nobody has seen it right since."""
        return self.last is not None and self.last.result == "problem"

    def missed(self, now: Millis) -> bool:
        """Nobody has looked for so long that the last word no longer holds."""
        return now >= self.holds_until and now >= self.until

    def vouches(self, now: Millis) -> bool:
        """Somebody found it right, and that still holds."""
        return self.last is not None and not self.problem and not self.missed(now)

    def expired(self, now: Millis) -> bool:
        """What it is about is no longer good."""
        return self.expired_at is not None and now >= self.expired_at

    @property
    def empty(self) -> bool:
        """Who looked last counted nothing."""
        return self.last is not None and self.last.count == 0

    def next_end(self, now: Millis) -> Millis | None:
        """When it may tell something else though nobody comes, and is to be asked again."""
        end = self.holds_until if now < self.holds_until else self.until
        return min((at for at in (end, self.expired_at) if at is not None and at > now), default=None)

    def state(self) -> CheckWord:
        """For `put_back`."""
        return self.last, self.expires, self.expired_at, self._from, self._until

    def put_back(self, state: CheckWord) -> None:
        self.last, self.expires, self.expired_at, self._from, self._until = state


def vouched_until(checks: Sequence[CheckState], now: Millis) -> Millis | None:
    """Until when people's word is that a thing is in order: all checks of it must say so. None where they do not."""
    if not checks or not all(check.vouches(now) for check in checks):
        return None
    return min(check.until for check in checks)


def seen_at(checks: Sequence[CheckState]) -> Millis | None:
    """When a person last looked."""
    return max((check.last.ts for check in checks if check.last is not None), default=None)


class _Command(msgspec.Struct, frozen=True):
    """What travels signed on `yz-cmd/{station}/check`."""

    nonce: str
    expires: Millis
    by: str
    report: CheckReport


encode_report = msgspec.json.Encoder().encode
decode_report = msgspec.json.Decoder(CheckReport).decode
_decode_command = msgspec.json.Decoder(_Command).decode


def encode_command(nonce: str, expires: Millis, report: CheckReport) -> bytes:
    """The text of a command that brings a report; what it says is said by `report.by`."""
    return encode_report(_Command(nonce, expires, report.by, report))


def report_of_command(text: bytes) -> CheckReport:
    """ValueError for what is none."""
    return _decode_command(text).report
