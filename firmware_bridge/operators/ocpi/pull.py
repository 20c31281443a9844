"""Locations page by page: all of them now and then, what has changed in between."""

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Raw

from firmware_bridge.operators.book import OperatorWord
from firmware_bridge.operators.bus import OperatorTold
from firmware_bridge.operators.ocpi.line import OcpiLine
from firmware_bridge.operators.ocpi.words import LocationTold, time_of, words_of
from firmware_bridge.operators.web import UNREADABLE, AskError
from gateway.base.times import rfc3339
from gateway.model import Millis

WHOLE_MS: Final = 3_600_000  # a change that the operator does not date is found by then
OVERLAP_MS: Final = 60_000
PAGE: Final = 100
PAGES_MOST, BYTES_MOST, PULL_MS = 2_000, 256 << 20, 300_000


class Pull:
    """Remembers how far it has read."""

    def __init__(self, line: OcpiLine, uids: frozenset[str]) -> None:
        self._line, self._uids = line, uids
        self._newest: Millis | None = None
        self._whole_at: Millis | None = None

    def read(self, url: str, token: str, now: Callable[[], Millis]) -> OperatorTold:
        """AskError: nothing of it counts."""
        began = now()
        whole = self._whole_at is None or self._newest is None or not 0 <= began - self._whole_at < WHOLE_MS
        words: dict[str, OperatorWord] = {}
        newest = None if whole else self._newest
        query = {"offset": "0", "limit": str(PAGE)}
        if not whole and self._newest is not None:
            query["date_from"] = rfc3339((self._newest - OVERLAP_MS) // 1000 * 1000)
        for raw in self._locations(url, query, token, began, now):
            try:
                newest = max(
                    filter(None, (newest, time_of(msgspec.json.decode(raw, type=LocationTold).last_updated))),
                    default=None,
                )
                words |= {word.key: word for word in words_of(raw, self._uids)}
            except UNREADABLE:
                continue  # one that can't be read costs itself
        self._newest = min(newest, now()) if newest is not None else None
        if whole:
            self._whole_at = began
        return OperatorTold(tuple(words.values()), whole=whole, confirms=True)

    def _locations(
        self, url: str, query: dict[str, str], token: str, began: Millis, now: Callable[[], Millis]
    ) -> Iterator[Raw]:
        origin, seen, size, count = urlsplit(url)[:2], set[str](), 0, 0
        place: str | None = f"{url}?{urlencode(query)}"
        while place is not None:
            if place in seen or len(seen) >= PAGES_MOST or size > BYTES_MOST or now() - began > PULL_MS:
                raise AskError("the operator's list of locations has no end")
            seen.add(place)
            answer = self._line.ask("GET", place, token)
            try:
                page = msgspec.json.decode(answer.data, type=list[Raw])
            except UNREADABLE:
                raise AskError("the operator gives no list of locations") from None
            yield from page
            size, count, place = size + answer.size, count + len(page), answer.next_url
            if place is not None and urlsplit(place)[:2] != origin:
                raise AskError("the operator's next page lies at another host")
            if place is None and page and answer.total is not None and count < answer.total:
                place = f"{url}?{urlencode(query | {'offset': str(count)})}"  # some count, but name no next page
