"""The boxes that tell this centre, as the gateway keeps what it heard of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from gateway.commands.errands import Errand
from gateway.core.passed_on import BOXES
from gateway.live.box_lines import BoxLine, lines_kept
from gateway.model import Millis
from gateway.store.kept import kept_in

UNSEEN_MS = 120_000
"""A line that nobody has looked at for so long is neither up nor down: the centre's own gateway does not run."""

LineState = Literal["up", "down", "unknown"]


@dataclass(frozen=True, slots=True)
class KnownBox:
    """A box, how its line is now, and what staff said for its stations, the newest first."""

    line: BoxLine
    state: LineState
    errands: tuple[Errand, ...] = ()

    @property
    def waiting(self) -> list[Errand]:
        """The errands that the box has not answered yet."""
        return [errand for errand in self.errands if errand.state == "waiting"]


def known_boxes(
    folder: Path,
    now: Millis,
    may_see: Callable[[Sequence[str]], bool],
    owners: Mapping[str, str] = MappingProxyType({}),
) -> list[KnownBox]:
    """Those of whose stations `may_see` says so, the troubled first. `owners`: station → box, of stations that were
    taken up, maybe since the gateway kept the lines. StoreError.
    """
    taken_up: dict[str, list[str]] = {}
    for station, box in owners.items():
        taken_up.setdefault(box, []).append(station)
    lines = [_whole(line, taken_up) for kept in kept_in(folder, BOXES) for line in lines_kept(kept)]
    boxes = [KnownBox(line, _state(line, now)) for line in lines if may_see(line.stations)]
    return sorted(boxes, key=_worst_first)


def _whole(line: BoxLine, taken_up: Mapping[str, Sequence[str]]) -> BoxLine:
    """With the stations that were taken up of its box."""
    more = [station for station in taken_up.get(line.box, ()) if station not in line.stations]
    return replace(line, stations=[*line.stations, *more]) if more else line


def with_errands(
    boxes: Iterable[KnownBox], errands: Sequence[Errand], may_see: Callable[[Sequence[str]], bool]
) -> list[KnownBox]:
    """The same, each with what staff said for those of its stations of which `may_see` says so."""
    return [
        replace(
            box, errands=tuple(errand for errand in errands if errand.box == box.line.box and may_see([errand.station]))
        )
        for box in boxes
    ]


def _state(line: BoxLine, now: Millis) -> LineState:
    if not line.online:
        return "down"
    return "up" if now - line.seen_at < UNSEEN_MS else "unknown"


def _worst_first(box: KnownBox) -> tuple[int, str]:
    return ("down", "unknown", "up").index(box.state), box.line.box


def counted(boxes: Iterable[KnownBox]) -> dict[LineState, int]:
    """How many lines are in which state, the troubled first."""
    counts: dict[LineState, int] = {"down": 0, "unknown": 0, "up": 0}
    for box in boxes:
        counts[box.state] += 1
    return counts
