"""RFC 3339 in UTC, in and out."""

import re
from datetime import UTC, datetime, timedelta

from gateway.model import Millis

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999  # the end of year 9999
_UNESCAPED_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


def rfc3339(at: Millis) -> str:
    """`2026-11-21T21:02:05.123Z`; the milliseconds are left out when they are zero."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds" if at % 1000 else "seconds").removesuffix("+00:00") + "Z"


def from_rfc3339(text: str) -> Millis:
    """Milliseconds of an RFC 3339 time with offset. ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or len(text) < 16:
        raise ValueError(f"{text!r} has no offset")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_query(text: str) -> Millis:
    """A time as people put it into an address: RFC 3339, also with its `+` unescaped, or whole milliseconds since 1970.

    ValueError says what is accepted.
    """
    try:
        at = int(text) if text.isascii() and text.isdecimal() else from_rfc3339(_UNESCAPED_PLUS.sub("+", text))
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at <= _LAST:
        raise ValueError(
            "is no time; write RFC 3339 with offset (2026-11-21T08:00:00+08:00) or milliseconds since 1970"
        )
    return at
