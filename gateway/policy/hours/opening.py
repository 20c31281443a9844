"""When a place is open: an expression in a time zone, asked for any instant, worked out only where the answer changes.

The clock on the wall decides: in the hour that a zone repeats, hours that cover it hold twice; a skipped hour is not
there. So `open` is true exactly in the minutes whose local time the expression calls open.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from gateway.model import Access, Millis
from gateway.policy.hours.expression import DayHours, Expression
from gateway.policy.hours.official import NO_NOTICES, Holidays, Notices, Weekend, day_kinds

MINUTE_MS = 60_000
DAY_MS = 86_400_000
HORIZON_DAYS = 3_000  # 29 February and back: an answer that holds longer holds for ever
_EPOCH = date(1970, 1, 1).toordinal()
_NOW: dict[str, Literal["yes", "no", "unknown"]] = {"open": "yes", "closed": "no", "staff_only": "no"}


class OpenState(NamedTuple):
    """`access` now, and until when it stays so; None: for ever."""

    access: Access
    until: Millis | None

    @property
    def now(self) -> Literal["yes", "no", "unknown"]:
        return _NOW.get(self.access, "unknown")


class Opening:
    """One expression under one zone and policy. Share it: `at` costs a comparison until the answer changes."""

    def __init__(
        self,
        expression: Expression,
        zone: ZoneInfo,
        holidays: Holidays,
        weekend: Weekend,
        notices: Notices = NO_NOTICES,
    ) -> None:
        self._expression = expression
        self._zone = zone
        self._policy = holidays, weekend, notices
        self._known: tuple[Millis, float, OpenState] = (0, 0, OpenState("unknown", None))

    def at(self, now: Millis, /) -> OpenState:
        """The answer at `now`, any instant from 1970 to 9990, in any order; rising ones are cheap."""
        since, until, state = self._known
        if since <= now < until:
            return state
        state = self._look(now)
        self._known = now, float("inf") if state.until is None else state.until, state
        return state

    def _look(self, now: Millis) -> OpenState:
        if self._expression.forever is not None:
            return OpenState(self._expression.forever, None)
        pieces = self._pieces(now)
        _, access = next(pieces)
        horizon = now + HORIZON_DAYS * DAY_MS
        for start, other in pieces:
            if other != access:
                return OpenState(access, start)
            if start > horizon:
                break
        return OpenState(access, None)

    def _pieces(self, now: Millis) -> Iterator[tuple[Millis, Access]]:
        """(start, answer from there), the first at `now`, at least one for every local day."""
        while True:
            offset = self._offset(now)
            local = now + offset
            midnight = local - local % DAY_MS
            end = self._same_offset_until(now, midnight + DAY_MS - offset, offset)
            day = self._day(local // DAY_MS)
            for index, (minute, access) in enumerate(day):
                start = midnight + minute * MINUTE_MS - offset
                stop = midnight + day[index + 1][0] * MINUTE_MS - offset if index + 1 < len(day) else end
                if start < end and stop > now:
                    yield max(start, now), access
            now = end

    def _day(self, number: int) -> DayHours:
        today = date.fromordinal(_EPOCH + number)
        yesterday = date.fromordinal(_EPOCH + number - 1)
        return self._expression.day(today, day_kinds(today, *self._policy), day_kinds(yesterday, *self._policy))

    def _offset(self, at: Millis) -> Millis:
        offset = datetime.fromtimestamp(at // 1000, UTC).astimezone(self._zone).utcoffset()
        assert offset is not None
        return round(offset.total_seconds() * 1000)

    def _same_offset_until(self, start: Millis, end: Millis, offset: Millis) -> Millis:
        """`end`, or the earlier instant at which the zone changes its offset (found to the second)."""
        if self._offset(end - 1) == offset:
            return end
        low, high = start // 1000, (end - 1) // 1000
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle * 1000) == offset else (low, middle)
        return high * 1000
