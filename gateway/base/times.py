"""RFC 3339 in UTC, in and out. Standard library only."""

from datetime import UTC, datetime, timedelta

from gateway.model import Millis

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
