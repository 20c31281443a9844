"""Which boxes get a new version before which, and whether those that have it are well. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.boxes import KnownBox
from config.rings import RINGS, ring_of
from gateway.base.local_time import HOUR_MS
from gateway.base.times import from_rfc3339
from gateway.model import Millis

FAR_AHEAD = 2**53
LISTED = 10
"""So many boxes are named at most."""


@dataclass(frozen=True, slots=True)
class RingVerdict:
    """`troubles`: why the next ring may not have the version yet, a line each; none: it may."""

    boxes: int
    troubles: tuple[str, ...]


def ring_before(ring: str) -> str | None:
    """The ring that a version comes from; None for the first ring."""
    place = RINGS.index(ring)
    return RINGS[place - 1] if place else None


def boxes_of(boxes: Iterable[KnownBox], ring: str) -> list[KnownBox]:
    """By what each says of itself, else by its name."""
    return [box for box in boxes if ring_told(box) == ring]


def ring_told(box: KnownBox) -> str:
    word = box.line.word
    return (word.ring if word is not None else None) or ring_of(box.line.box)


def verdict(boxes: Sequence[KnownBox], ring: str, version: str, hours: int, now: Millis) -> RingVerdict:
    """Whether every box of the ring has run this version for so many hours, with its line up."""
    members = boxes_of(boxes, ring)
    if not members:
        return RingVerdict(0, (f"no box is in {ring}: nobody has tried {version}; set uplink.ring: {ring} at one",))
    told = [text for box in members if (text := _trouble(box, version, hours, now)) is not None]
    more = [f"and {len(told) - LISTED} more"] if len(told) > LISTED else []
    return RingVerdict(len(members), (*told[:LISTED], *more))


def _trouble(box: KnownBox, version: str, hours: int, now: Millis) -> str | None:
    word, name = box.line.word, box.line.box
    if word is not None and word.upgrade == "rolled_back":
        return f"{name} took {word.upgrade_version or 'a version'} back and runs {word.version}"
    if box.state != "up":
        return f"{name}: its line is {box.state}"
    if word is None or word.version != version:
        return f"{name} runs {word.version if word is not None else 'nobody knows what'}, not {version}"
    if now - _started_at(word.since) < hours * HOUR_MS:
        return f"{name} has run {version} for less than {hours} h since its last start"
    return None


def _started_at(told: str | None) -> Millis:
    try:
        return from_rfc3339(told or "")
    except ValueError:
        return FAR_AHEAD
