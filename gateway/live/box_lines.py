"""What boxes tell of themselves, and what a line that is down means: their stations are unknown since then.

A box retains its word on `yz-box/{box}` and renews it every 15 s; its last will there says `offline`. One that says
nothing for a minute is taken for cut off, too.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from config.rings import Ring
from gateway.evidence.boxes import Boxes
from gateway.evidence.facts import Facts
from gateway.evidence.via import BoxName
from gateway.live.alarms import Alarms
from gateway.live.places import Station
from gateway.model import Millis
from gateway.wire import UnreadableError

SILENT_MS: Final = 60_000
KEEP_EVERY_MS: Final = 10_000
BOXES_MOST: Final = 10_000
OBEYED: Final = ("override", "check", "staff", "config")
"""What a box does when staff of the centre say so."""
CUT, BACK = "box_offline", "box_back"
"""Causes of changes: its box can't be heard, and is heard again."""

Text = Annotated[str, Meta(max_length=64)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Days = Annotated[int, Meta(ge=-36_500, le=36_500)]


class BoxWord(Struct, frozen=True):
    """What a box says of itself; all but its name and state may be missing.

    `upgrade`: it took `upgrade_version` back, and runs the one before.
    """

    box: BoxName
    state: Literal["online", "stopped", "offline"]
    version: Text | None = None
    since: Text | None = None
    backlog: Count | None = None
    disk_days: Days | None = None
    disk_free_mib: Count | None = None
    walls: Count | None = None
    config_version: Count | None = None
    certificate_days: Days | None = None
    clock_ms: Annotated[int, Meta(ge=-(2**53), le=2**53)] | None = None
    alerts: Literal["box", "centre"] | None = None
    obeys: bool | None = None
    ring: Ring | None = None
    upgrade: Literal["rolled_back"] | None = None
    upgrade_version: Text | None = None


@dataclass(slots=True, eq=False)
class BoxLine:
    """`word` is the last that said more than `offline`; `since`: from when on `online` is what it is. `stations` as it
    was kept."""

    box: str
    online: bool
    since: Millis
    seen_at: Millis
    word: BoxWord | None = None
    clock_off_ms: Millis | None = None
    stations: list[str] = field(default_factory=list)
    alarm: Millis | None = None


def obeys(line: BoxLine) -> bool:
    """Whether it does what staff of the centre say: it has the centre's key."""
    return line.word is not None and line.word.obeys is not False


_decode = msgspec.json.Decoder(BoxWord).decode
_decode_kept = msgspec.json.Decoder(list[BoxLine]).decode
Settle = Callable[[Facts, Millis, str], None]


def lines_kept(kept: bytes | None) -> list[BoxLine]:
    """What `BoxLines.dump` gave; nothing where that is missing or damaged."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return _decode_kept(kept) if kept else []
    return []


@dataclass(slots=True)
class BoxLines:
    """By its name each box that has told of itself. `news`: those whose line came or went since it was last taken."""

    boxes: Boxes
    stations: Mapping[str, Station]
    alarms: Alarms
    settle: Settle
    lines: dict[str, BoxLine] = field(default_factory=dict)
    news: set[str] = field(default_factory=set)
    kept_at: Millis = 0

    def hear(self, name: str, payload: bytes, now: Millis) -> bytes | None:
        """A word on `yz-box/{name}`; what is to be kept now, if anything. UnreadableError says what is wrong."""
        if not payload:
            return self._forget(name)
        word = self._read(name, payload)
        line = self.lines.get(name)
        if line is None:
            if len(self.lines) >= BOXES_MOST:
                raise UnreadableError("unknown_box")
            line = self.lines[name] = BoxLine(name, False, now, now)
            self.news.add(name)
        before = line.online, line.word.version if line.word else None
        if word.state != "offline":
            line.word, line.seen_at = word, now
            line.clock_off_ms = None if word.clock_ms is None else word.clock_ms - now
        self._stands(line, word.state == "online", now)
        self.alarms.set(line, now + SILENT_MS)
        changed = before != (line.online, line.word.version if line.word else None)
        if changed or now - self.kept_at >= KEEP_EVERY_MS:
            self.kept_at = now
            return self.dump()
        return None

    def spoke(self, name: str, now: Millis) -> bytes | None:
        """A message came from it; what is to be kept. One that never told of itself has a line all the same."""
        line = self.lines.get(name)
        if line is not None:
            line.seen_at = max(line.seen_at, now)
            return None
        if len(self.lines) >= BOXES_MOST:
            return None
        self.lines[name] = BoxLine(name, True, now, now)
        return self.dump()

    def _read(self, name: str, payload: bytes) -> BoxWord:
        told = name in self.boxes.accept or any(link.box == name for link in self.boxes.links())
        if not told:
            raise UnreadableError("unknown_box")
        try:
            word = _decode(payload)
        except msgspec.ValidationError:
            raise UnreadableError("wrong_type") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UnreadableError("not_json") from None
        if word.box != name:
            raise UnreadableError("unknown_box")
        return word

    def _forget(self, name: str) -> bytes | None:
        """Its word was cleared by whoever takes it out of service."""
        line = self.lines.pop(name, None)
        if line is None:
            return None
        self.alarms.forget([line])
        self.news.add(name)
        return self.dump()

    def look(self, line: BoxLine, now: Millis) -> None:
        """Its time is over, or it has spoken since."""
        if line.online and now - line.seen_at >= SILENT_MS:
            self._stands(line, False, now)
        elif line.online:
            self.alarms.set(line, line.seen_at + SILENT_MS)

    def _stands(self, line: BoxLine, online: bool, now: Millis) -> None:
        if line.online is online:
            return
        line.online, line.since = online, now
        self.news.add(line.box)
        for station in self.stations_of(line.box):
            self._carry(station, online, now)

    def _carry(self, station: Station, online: bool, now: Millis) -> None:
        for facts in station.facts():
            if online:
                facts.fresh.joined()
            else:
                facts.fresh.cut(now)
            self.settle(facts, now, BACK if online else CUT)

    def stations_of(self, box: str) -> list[Station]:
        """The stations of which it has told us."""
        names = dict.fromkeys(station for teller, station in self._told() if teller == box)
        return [self.stations[name] for name in names if name in self.stations]

    def _told(self) -> Iterator[tuple[str, str]]:
        """(box, station): by what came, and by the configuration."""
        yield from ((link.box, link.station) for link in self.boxes.links())
        yield from ((box, station) for station, box in self.boxes.owners.items())

    def line_of(self, topic: str) -> BoxLine | None:
        """That of the box which obeys a command on this topic, too; None where there is none. Any thread."""
        _, station, what = (*topic.split("/"), "", "")[:3]
        return self.line_for(station) if what in OBEYED else None

    def obeying(self, station: str) -> BoxLine | None:
        """That of the box which has this station, unless it says that it does nothing that we say."""
        line = self.line_for(station)
        return line if line is not None and obeys(line) else None

    def line_for(self, station: str) -> BoxLine | None:
        """That of the box which tells of this station, and of itself. Any thread."""
        names = [link.box for link in self.boxes.links_of(station)]
        known = [self.lines.get(name) for name in (self.boxes.owners.get(station, ""), *names)]
        return next((line for line in known if line is not None and line.word is not None), None)

    def take_up(self, kept: Iterable[BoxLine], now: Millis) -> None:
        """After a start: those that were there have a minute to say so again."""
        for line in kept:
            self.lines[line.box] = line
            self.news.add(line.box)
            if line.online:
                line.seen_at = max(line.seen_at, now)
                self.alarms.set(line, now + SILENT_MS)
            else:
                for station in self.stations_of(line.box):
                    self._carry(station, False, now)

    def dump(self) -> bytes:
        stations: dict[str, set[str]] = defaultdict(set)
        for box, station in self._told():
            if station in self.stations:
                stations[box].add(station)
        rows: list[dict[str, Any]] = [
            {
                "box": line.box, "online": line.online, "since": line.since, "seen_at": line.seen_at,
                "word": line.word, "clock_off_ms": line.clock_off_ms, "stations": sorted(stations[line.box]),
            }
            for line in self.lines.values()
        ]  # fmt: skip
        return msgspec.json.encode(rows)
