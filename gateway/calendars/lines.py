"""What a site or a program calls a calendar → its lines in UTF-8, as RFC 5545 has them."""

import re
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from datetime import date, timedelta

MAX_BYTES = 2 * 1024 * 1024
_MIDNIGHT = re.compile(rb"(?<=[:,/])(\d{4})(\d\d)(\d\d)T240000(?=Z?[\s,/])")


class CalendarError(ValueError):
    """A calendar that can't be used. The message says why."""


def lines(data: bytes) -> bytes:
    """Unpacked, in UTF-8 without a mark, with line ends, with 24:00 as the midnight that it is. CalendarError."""
    data = _utf8(unpacked(data))
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return _MIDNIGHT.sub(_next_midnight, data)


def unpacked(data: bytes) -> bytes:
    """Some sites send gzip to whoever does not ask for it. What comes out is bounded, too. CalendarError."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, MAX_BYTES + 1)
        except zlib.error:
            raise CalendarError("is gzip that can't be unpacked") from None
    if len(data) > MAX_BYTES:
        raise CalendarError(f"is larger than {MAX_BYTES} bytes")
    return data


def _utf8(data: bytes) -> bytes:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise CalendarError("is UTF-16 that can't be read; save it as UTF-8") from None
    return data.removeprefix(BOM_UTF8)


def _next_midnight(match: re.Match[bytes]) -> bytes:
    try:
        day = date(*map(int, match.groups())) + timedelta(days=1)
    except (ValueError, OverflowError):
        return match[0]
    return day.strftime("%Y%m%dT000000").encode()
