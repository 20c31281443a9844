"""The list of stations: summaries, filters, nearest first. From the live view alone, never from the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from api.geo import LatLon, distance_m
from api.live_view import Entry, LiveView
from api.nearby import Grid
from api.wire_documents import without_areas
from config.kinds import INSTRUMENTS, NAMES
from config.schema import StationSettings

_OFFERED = tuple(name for name in NAMES if name not in INSTRUMENTS)
Wanted = tuple[str, str | None]  # kind, type


@dataclass(frozen=True, slots=True)
class Card:
    """One station of the list: `body` is its document without `areas`."""

    entry: Entry
    body: bytes

    def offers(self, wanted: Iterable[Wanted]) -> bool:
        """Whether something of each wanted kind is certainly usable."""
        return all(
            any(line.usable_min >= 1 and kind == line.kind and sort in (None, line.type) for line in self.entry.summary)
            for kind, sort in wanted
        )


@dataclass(frozen=True, slots=True)
class Query:
    near: LatLon | None = None
    radius_m: float | None = None
    wanted: tuple[Wanted, ...] = ()
    open_now: bool | None = None
    region: tuple[str, ...] = ()


def parse_wanted(text: str) -> tuple[Wanted, ...]:
    """`seat,charger:ebike` → pairs. ValueError names the unknown kind."""
    wanted = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        kind, _, sort = item.partition(":")
        if kind not in _OFFERED:
            raise ValueError(f"{kind[:32]!r} is no kind of resource; there are {', '.join(_OFFERED)}")
        wanted.append((kind, sort or None))
    return tuple(wanted)


Found = tuple[float, bytes, str]
"""How far away in metres (infinite where nobody asked), what the list shows of it, which station."""


class Directory:
    """Cards are made when first asked for and kept until their station's document changes."""

    def __init__(self, view: LiveView, stations: Iterable[StationSettings]) -> None:
        self._view = view
        self._stations = {station.id: station for station in stations}
        self._cards: dict[str, Card] = {}
        self._grid = Grid(
            (station.id, (station.location.lat, station.location.lon))
            for station in self._stations.values()
            if station.location is not None
        )

    def near(self, query: Query, limit: int | None, most: int) -> bytes | None:
        """The same as `find` for a query with `near` and `radius_m`, without a look at stations beyond; None where more
        than `most` are within it. On the thread of the view."""
        assert query.near is not None
        assert query.radius_m is not None
        around = self._grid.around(query.near, query.radius_m)
        if len(around) > most:
            return None
        cards: list[Found] = []
        for away, name in around:
            entry = self._view.get(name)
            card = None if entry is None else self._card(entry)
            if card is not None and _suits(card, self._stations[name], query):
                cards.append(_with_distance(card, away))
        return _page(cards, limit, None)

    def find(
        self,
        query: Query,
        limit: int | None = None,
        after: str | None = None,
        entries: Iterable[Entry] | None = None,
    ) -> bytes:
        """The body of `GET /api/v1/stations`: in the order of the configuration, or nearest first.

        With a `limit` so many of them, those that follow the station `after`, and which is the last where there are
        more (`next`). `entries` are those of the view where another thread asks. KeyError: no station `after` is among
        them.
        """
        cards: list[Found] = []
        for entry in self._view if entries is None else entries:
            station = self._stations.get(entry.station)
            if station is None:  # it goes, or comes, just now
                continue
            card = self._card(entry)
            if not _suits(card, station, query):
                continue
            away = _away_m(station, query.near)
            if query.near is None or away is None:
                if query.radius_m is None:
                    cards.append((float("inf"), card.body, entry.station))
            elif query.radius_m is None or away <= query.radius_m:
                cards.append(_with_distance(card, away))
        cards.sort(key=lambda item: item[0])
        return _page(cards, limit, after)

    def _card(self, entry: Entry) -> Card:
        card = self._cards.get(entry.station)
        if card is None or card.entry is not entry:
            card = self._cards[entry.station] = Card(entry, without_areas(entry.body))
        return card


def _with_distance(card: Card, away: float) -> Found:
    return away, b'%b,"distance_m":%d}' % (card.body[:-1], round(away)), card.entry.station


def _page(cards: Sequence[Found], limit: int | None, after: str | None) -> bytes:
    """The whole list, or `limit` of it after a station. KeyError: that one is not in it."""
    if limit is None:
        return b'{"stations":[%b]}' % b",".join(body for _, body, _ in cards)
    first = 0 if after is None else {station: at for at, (_, _, station) in enumerate(cards, 1)}[after]
    page = cards[first : first + limit]
    following = page[-1][2] if page and first + limit < len(cards) else None
    bodies = b",".join(body for _, body, _ in page)
    return b'{"stations":[%b],"next":%b}' % (bodies, msgspec.json.encode(following))


def _suits(card: Card, station: StationSettings, query: Query) -> bool:
    if query.open_now is not None and (card.entry.open_now == "yes") is not query.open_now:
        return False
    return card.offers(query.wanted) and set(query.region) <= set(station.region)


def _away_m(station: StationSettings, near: LatLon | None) -> float | None:
    if near is None or station.location is None:
        return None
    return distance_m(near, (station.location.lat, station.location.lon))
