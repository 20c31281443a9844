"""Times in addresses and answers: RFC 3339 in UTC."""

import re

from gateway.base.times import from_rfc3339, rfc3339
from gateway.model import Millis

__all__ = ["from_query", "from_rfc3339", "rfc3339"]

_LAST = 253_402_300_799_999  # the end of year 9999
_UNESCAPED_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


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
