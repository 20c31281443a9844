"""Which messages of each box came: `(box, boot, n)` identifies one for ever, and numbers are awaited from 1 on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import chain
from typing import Final

from gateway.evidence.seen import Range, holds, insert

RANGES: Final = 16_384
"""More holes than a box makes that fills them from the oldest; a message beyond makes no further one."""
NAMES: Final = 64
"""Boxes that may speak on the topics of one station without being named in the configuration."""
JOURNALS: Final = 8
"""Journals of one box of which it is known what came."""

Kept = tuple[str, str, list[tuple[str, int, list[Range]]]]
"""Station, box, and of each journal its boot, floor and ranges; the newest last."""


class BoxJournal:
    """What came of one journal. Nothing below `floor` is awaited."""

    __slots__ = ("boot", "floor", "ranges")

    def __init__(self, boot: str, floor: int = 1, ranges: Iterable[Range] = ()) -> None:
        self.boot, self.floor = boot, floor
        self.ranges = [(low, high) for low, high in ranges]

    def has(self, n: int) -> bool:
        return holds(self.ranges, n)

    def note(self, n: int) -> None:
        ranges = self.ranges
        if ranges and ranges[-1][1] + 1 == n:
            ranges[-1] = ranges[-1][0], n
        else:
            insert(ranges, n)

    def has_room(self, n: int) -> bool:
        return len(self.ranges) < RANGES or self.has(n - 1) or self.has(n + 1)

    def upto(self) -> int:
        """The highest number with no hole below it."""
        upto = self.floor - 1
        for low, high in self.ranges:
            if low > upto + 1:
                break
            upto = max(upto, high)
        return upto


class BoxLink:
    """One box, as far as it tells of one station."""

    __slots__ = ("box", "journals", "station")

    def __init__(self, station: str, box: str) -> None:
        self.station, self.box = station, box
        self.journals: list[BoxJournal] = []

    def journal(self, boot: str) -> BoxJournal:
        """That of this boot; one never heard of is the newest from now on."""
        for journal in reversed(self.journals):
            if journal.boot == boot:
                return journal
        journal = BoxJournal(boot)
        self.journals = [*self.journals[1 - JOURNALS :], journal]
        return journal

    def told(self) -> tuple[str, int] | None:
        """The boot of the newest journal and up to which number of it everything came."""
        return (self.journals[-1].boot, self.journals[-1].upto()) if self.journals else None


class Boxes:
    """All boxes that a centre hears. `accept`: those that may tell of any station that is no other box's."""

    def __init__(self) -> None:
        self.accept: Set[str] = frozenset()
        self.owners: dict[str, str] = {}  # by station: whose it is, where a box has brought it
        self.on_site: Callable[[str, bytes], None] = lambda _station, _site: None  # told of itself by a box
        self.kept_upto = 0  # up to which batch of our own journal it was kept what came
        self._links: dict[str, dict[str, BoxLink]] = {}  # by station and box

    def configure(self, accept: Iterable[str], owners: Mapping[str, str]) -> None:
        self.accept, self.owners = frozenset(accept), dict(owners)

    def may_tell(self, station: str, box: str) -> bool:
        """A station that we configure ourselves is heard from whichever box speaks on its topics."""
        owner = self.owners.get(station)
        if owner is not None:
            return owner == box and box in self.accept
        links = self._links.get(station, {})
        return box in links or box in self.accept or len(links) < NAMES

    def trusts(self, station: str) -> bool:
        """Whether a box that is named in the configuration tells of it: it has let in what floods, or not."""
        return bool(self.accept) and any(box in self.accept for box in self._links.get(station, ()))

    def link(self, station: str, box: str) -> BoxLink:
        links = self._links.setdefault(station, {})
        link = links.get(box)
        if link is None:
            link = links[box] = BoxLink(station, box)
        return link

    def links(self) -> Iterator[BoxLink]:
        return chain.from_iterable(links.values() for links in self._links.values())

    def links_of(self, station: str) -> list[BoxLink]:
        """Those of the boxes that tell of it. Any thread."""
        return list(self._links.get(station, {}).values())

    def dump(self) -> list[Kept]:
        return [
            (link.station, link.box, [(journal.boot, journal.floor, list(journal.ranges)) for journal in link.journals])
            for link in self.links()
        ]

    def load(self, kept: Iterable[Kept], upto: int) -> None:
        """What was kept after batch `upto`."""
        self.kept_upto = upto
        for station, box, journals in kept:
            link = self.link(station, box)
            link.journals = [BoxJournal(boot, floor, ranges) for boot, floor, ranges in journals]

    def forget(self, stations: Iterable[str]) -> None:
        """These are gone from the configuration."""
        gone = set(stations)
        self._links = {station: links for station, links in self._links.items() if station not in gone}
