"""What is read of a Location of OCPI 2.2.1: each EVSE's status and its time. Everything else is passed over."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw, Struct

from firmware_bridge.operators.book import UNKNOWN, OperatorWord
from firmware_bridge.operators.web import UNREADABLE
from gateway.base.times import from_rfc3339
from gateway.model import Millis

STATUSES: Final = {
    "AVAILABLE": "Available",
    "BLOCKED": "Unavailable",  # a barrier is in front of it
    "CHARGING": "Charging",
    "INOPERATIVE": "Unavailable",
    "OUTOFORDER": "Faulted",
    "PLANNED": "Unavailable",
    "REMOVED": "Unavailable",
    "RESERVED": "Reserved",
    "UNKNOWN": UNKNOWN,
}
FAULTS: Final = frozenset({"OUTOFORDER"})


class EvseTold(Struct):
    """`status` and `last_updated` are absent where a PATCH says nothing of them."""

    uid: str | None = None
    status: str | None = None
    last_updated: str | None = None


class LocationTold(Struct):
    last_updated: str | None = None
    evses: list[Raw] | None = None


def time_of(text: str | None) -> Millis | None:
    """OCPI writes UTC, with or without its Z. None for what is no time."""
    if text is None or not 19 <= len(text) <= 40:
        return None
    try:
        return from_rfc3339(text if text[19:].lstrip(".0123456789") else text + "Z")
    except (ValueError, OverflowError):
        return None


def word_of(uid: str, evse: EvseTold) -> OperatorWord | None:
    """None where it tells no status. A word that OCPI does not have is not known here either."""
    if evse.status is None:
        return None
    status = STATUSES.get(evse.status, UNKNOWN)
    return OperatorWord(uid, status, evse.status if evse.status in FAULTS else "", time_of(evse.last_updated))


def evses_of(raw: Raw | bytes) -> Iterator[EvseTold]:
    """The EVSEs of one Location. One that can't be read is left out; faults of the Location itself are raised: see
    UNREADABLE."""
    for evse in msgspec.json.decode(raw, type=LocationTold).evses or ():
        try:
            yield msgspec.json.decode(evse, type=EvseTold)
        except UNREADABLE:
            continue


def words_of(raw: Raw | bytes, uids: frozenset[str]) -> Iterator[OperatorWord]:
    """The words on EVSEs of ours in one Location."""
    for evse in evses_of(raw):
        if evse.uid in uids and evse.uid is not None and (word := word_of(evse.uid, evse)) is not None:
            yield word
