"""When a station usually has the first sign of the day that one can come in, and whether today has none. Pure.

Learnt from the changes of its own promise: a station of which nobody sees anything has no usual hour, and so has one
that never closes. That today has no sign accuses nobody; it says where to look first.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gateway.model import Millis, OpeningChange

HOUR_MS: Final = 3_600_000
LEARNT_FROM_MS: Final = 28 * 24 * HOUR_MS
LEAST_DAYS: Final = 10
SHARE: Final = 0.8
WITHIN_MS: Final = (HOUR_MS // 4, HOUR_MS // 2, HOUR_MS, 2 * HOUR_MS)
LATE_MS: Final = HOUR_MS


class FirstHour(NamedTuple):
    """On `share` of `days` openings the first sign came within `within_ms` of the opening."""

    within_ms: Millis
    share: float
    days: int


class Missing(NamedTuple):
    """Since it opened at `since` there was no sign, an hour longer than is usual."""

    since: Millis
    usual: FirstHour


class _Opening(NamedTuple):
    at: Millis
    sign_at: Millis | None
    closed_at: Millis | None


def missing(changes: Iterable[OpeningChange], now: Millis) -> Missing | None:
    """`changes` in order, of one station, from LEARNT_FROM_MS before `now` on. None where all is as usual, or where
    nobody can say what that is.
    """
    openings = list(_openings(changes))
    if not openings or openings[-1].closed_at is not None or openings[-1].sign_at is not None:
        return None
    usual = _usual([opening for opening in openings if opening.closed_at is not None])
    opened = openings[-1].at
    if usual is None or now < opened + usual.within_ms + LATE_MS:
        return None
    return Missing(opened, usual)


def _usual(openings: list[_Opening]) -> FirstHour | None:
    """The shortest time within which most openings had their first sign."""
    if len(openings) < LEAST_DAYS:
        return None
    for within_ms in WITHIN_MS:
        soon = [
            opening for opening in openings if opening.sign_at is not None and opening.sign_at - opening.at <= within_ms
        ]
        if len(soon) >= SHARE * len(openings):
            return FirstHour(within_ms, len(soon) / len(openings), len(openings))
    return None


def _openings(changes: Iterable[OpeningChange]) -> Iterator[_Opening]:
    """Those of which both the opening and what was before it are known."""
    opened: Millis | None = None
    sign: Millis | None = None
    before = ""
    for change in changes:
        if change.state == "closed":
            if opened is not None:
                yield _Opening(opened, sign, change.at)
            opened = sign = None
        elif before == "closed":
            opened = change.at
        if change.state == "proved" and opened is not None and sign is None:
            sign = change.at
        before = change.state
    if opened is not None:
        yield _Opening(opened, sign, None)
