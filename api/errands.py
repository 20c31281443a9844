"""What staff said for stations of boxes, as the gateway keeps it: whether the box has done it, or it waits."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from fastapi import HTTPException
from pydantic import BaseModel, Field

from api.times import rfc3339
from config.schema import Settings
from gateway.base.clock import monotonic_s
from gateway.commands.answers import in_short
from gateway.commands.errands import KEPT, Errand, errands_kept
from gateway.core.passed_on import BOXES
from gateway.live.box_lines import BoxLine, lines_kept, obeys
from gateway.policy.override import Command, Override, OverrideTarget
from gateway.store.base import StoreError
from gateway.store.kept import kept_in

ANSWER_S: Final = 1.5
"""So long a box whose line stands has to answer before its errand is told as waiting: on the page within 2 s."""
DEED_S: Final = 1.0
"""The same for a deed that was carried out here before."""
KEPT_S: Final = 5.0
"""So long our own gateway has to keep it."""
ASK_AGAIN_S: Final = 0.05


class SaidToBox(BaseModel):
    """What became of something that was said for the station of a box."""

    box: str
    state: Literal["waiting", "done", "refused", "expired"]
    why: str = Field("", description="the box's reason, where it refused; of a change set its answer as JSON")
    until: str = Field(description="so long it waits for the box")


class ErrandRow(SaidToBox):
    station: str
    what: str = Field(description="override, check, or the deed: acknowledge, assign, …")
    by: str
    at: str


def errands_in(folder: Path) -> list[Errand]:
    """All that are kept, the newest first. StoreError."""
    errands = [errand for kept in kept_in(folder, KEPT) for errand in errands_kept(kept)]
    return sorted(errands, key=lambda errand: errand.at, reverse=True)


def line_to(settings: Settings, station: str) -> BoxLine | None:
    """That of the box which has this station; None where there is none. StoreError."""
    kept, owner = kept_in(settings.store.path, BOXES), settings.owners.get(station)
    lines = [line for known in kept for line in lines_kept(known) if obeys(line)]
    return next((line for line in lines if line.box == owner or (owner is None and station in line.stations)), None)


def followed(settings: Settings, station: str, nonce: str, within_s: float = ANSWER_S) -> SaidToBox | None:
    """What the box made of the command with this nonce, as far as it is known within this time; None for a station
    without a box. 503 where our gateway does not say that it has kept it.
    """
    try:
        line = line_to(settings, station)
        if line is None:
            return None
        errand = _errand_to_box(settings.store.path, nonce, within_s if line.online else 0, KEPT_S)
    except StoreError:
        return None  # no store beside us: what the gateway made of it is seen in what it tells
    if errand is None:
        raise HTTPException(503, "the gateway does not answer; look whether it was done, then try again")
    return said_to_box(errand)


def told_of(settings: Settings, station: str | None, nonce: str) -> dict[str, Any]:
    """`box`: what a box made of this deed, which was carried out here; nothing where none is to do it. One whose line
    stands has a moment for its answer. For the answer to whoever did it.
    """
    try:
        line = line_to(settings, station) if station is not None else None
        online = line is not None and line.online
        errand = _errand_to_box(settings.store.path, nonce, DEED_S if online else 0, 0)
    except StoreError:
        return {}
    return {} if errand is None else {"box": said_to_box(errand).model_dump()}


def _errand_to_box(folder: Path, nonce: str, within_s: float, kept_s: float) -> Errand | None:
    """Once it is settled, or as it is after `within_s`; None where it is not kept after `kept_s`. What our own centre
    hears of the same command has its nonce as well, and no box. StoreError.
    """
    begin = monotonic_s()
    while True:
        errand = next((errand for errand in errands_in(folder) if errand.nonce == nonce and errand.box), None)
        settled = errand is not None and errand.state != "waiting"
        if settled or monotonic_s() - begin >= (kept_s if errand is None else within_s):
            return errand
        time.sleep(ASK_AGAIN_S)


def waiting_words(folder: Path, station: str) -> list[tuple[OverrideTarget, Override, str]]:
    """What is set by hand once its box has heard of it, in the order in which it was said. StoreError."""
    words = []
    for errand in reversed(errands_in(folder)):
        waits = errand.state == "waiting" and errand.box  # what our centre has yet to hear of holds here already
        if errand.station == station and errand.what == "override" and waits:
            command = msgspec.json.decode(errand.text, type=Command)
            if command.override is not None:
                words.append((command.target(station), command.override, errand.box))
    return words


def said_to_box(errand: Errand) -> SaidToBox:
    return SaidToBox(box=errand.box, state=errand.state, why=errand.why, until=rfc3339(errand.keep_until))


class _Deed(msgspec.Struct):
    do: str = "staff"


def what_of(errand: Errand) -> str:
    """What is to be done, in one word."""
    return msgspec.json.decode(errand.text, type=_Deed).do if errand.what == "staff" else errand.what


def rows_of(errands: Iterable[Errand]) -> list[ErrandRow]:
    return [
        ErrandRow(
            **said_to_box(errand).model_dump() | {"why": in_short(errand.why)},
            station=errand.station, what=what_of(errand), by=errand.by, at=rfc3339(errand.at),
        )
        for errand in errands
    ]  # fmt: skip
