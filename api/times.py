"""Times in addresses and answers: RFC 3339 in UTC."""

import re

from gateway.base.times import from_rfc3339, rfc3339
from gateway.model import Millis

__all__ = ["from_query", "from_rfc3339", "rfc3339"]

_SECONDS = range(100_000_000, 100_000_000_000)  # as seconds 1973 to 5138; as milliseconds before we had anything
_LAST = 253_402_300_799_999  # the end of year 9999
_UNESCAPED_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


def from_query(text: str) -> Millis:
    """A time as people put it into an address: RFC 3339, also with its `+` unescaped, or whole milliseconds since 1970.

    ValueError says what is accepted.
    """
    plain = text.isascii() and text.isdecimal()
    try:
        at = int(text) if plain else from_rfc3339(_UNESCAPED_PLUS.sub("+", text.upper()))
    except (ValueError, OverflowError):
        at = -1
    if plain and at in _SECONDS:
        raise ValueError(f"is a time in seconds; write milliseconds since 1970 ({at}000) or RFC 3339 with offset")
    if not 0 <= at <= _LAST:
        raise ValueError(
            "is no time; write RFC 3339 with offset (2026-11-21T08:00:00+08:00) or milliseconds since 1970"
        )
    return at
