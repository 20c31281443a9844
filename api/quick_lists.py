"""The questions that apps ask most of the list of stations, answered without FastAPI: all of it, and who is near.

What is asked otherwise, or wrongly, is left to the route (`api/routes/stations`): here nothing is refused.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from api.conditional import etag_of, matches
from api.derived import Derived
from api.directory import Directory, Query, parse_wanted
from api.geo import from_gcj02
from api.live_view import MAX_AGE_S, LiveView
from gateway.model import Millis

MOST: Final = 500
"""Stations within the radius that are looked at one by one; for more there is a thread."""
PREPARED_MOST: Final = 2_500
"""Stations of a whole list that is made here; a longer one takes too long."""
PREPARED_MS: Final = 1_000
"""So long a whole list is given again, unless something in it ends: an answer may be cached for longer anyway."""
RADIUS_MOST_M: Final = 100_000
LEVEL: Final = 1
BROTLI_QUALITY: Final = 4
"""Brotli goes up to 11: beyond 4 a list takes longer to pack than it is kept."""
_KEYS: Final = frozenset({"near", "coord", "radius_m", "usable", "limit"})
try:
    import brotli
except ImportError:  # the extra `br` is not installed: gzip it is
    brotli = None

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class PreparedList:
    """An answer. `long`: it is worth being packed, which is done once for each encoding that is asked for."""

    body: bytes
    etag: bytes
    long: bool = False
    _packed: dict[bytes, bytes] = field(default_factory=dict)

    def sent(self, if_none_match: str | None, accepted: bytes) -> tuple[int, Headers, bytes]:
        """Status, headers and body for who asks and takes these encodings."""
        headers = [(b"etag", self.etag), (b"cache-control", b"public, max-age=%d" % MAX_AGE_S)]
        if self.long:
            headers.append((b"vary", b"accept-encoding"))
        if matches(if_none_match, self.etag.decode()):
            return 304, headers, b""
        body, encoding = self.body, _encoding(accepted) if self.long else None
        if encoding is not None:
            if encoding not in self._packed:
                self._packed[encoding] = PACKERS[encoding](body)
            body = self._packed[encoding]
            headers.append((b"content-encoding", encoding))
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        return 200, headers, body


def _encoding(accepted: bytes) -> bytes | None:
    """The smallest that is taken; None for none."""
    taken = {part.partition(b";")[0].strip() for part in accepted.split(b",") if not part.endswith(b";q=0")}
    return next((encoding for encoding in PACKERS if encoding in taken), None)


def _brotli(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=BROTLI_QUALITY))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


PACKERS: Final[dict[bytes, Callable[[bytes], bytes]]] = {
    **({} if brotli is None else {b"br": _brotli}),
    b"gzip": _gzip,
}
"""How each encoding packs, the one with the smallest result first."""


class QuickLists:
    """Prepared answers to the commonest list questions. On the thread of the view."""

    def __init__(self, view: LiveView, directory: Derived[Directory]) -> None:
        self._view, self._directory = view, directory
        self._whole: PreparedList | None = None
        self._whole_of: Directory | None = None
        self._whole_from: Millis = 0
        self._whole_until: Millis = 0

    def answer(self, query_string: bytes) -> PreparedList | None:
        """The prepared answer; None where the route has to make it."""
        if not query_string:
            return self._all() if len(self._view) <= PREPARED_MOST else None
        try:
            query, limit = _asked(query_string)
        except (ValueError, KeyError):
            return None
        body = self._directory().near(query, limit, MOST)
        return None if body is None else PreparedList(body, etag_of(body).encode())

    def _all(self) -> PreparedList:
        now, directory = self._view.now(), self._directory()
        if self._whole is None or self._whole_of is not directory or not self._whole_from <= now < self._whole_until:
            entries = list(self._view)
            body = directory.find(Query(), entries=entries)
            ends = [entry.deadline for entry in entries if entry.deadline is not None]
            self._whole = PreparedList(body, etag_of(body).encode(), long=True)
            self._whole_of, self._whole_from = directory, now
            self._whole_until = min([now + PREPARED_MS, *ends])
        return self._whole


def _asked(query_string: bytes) -> tuple[Query, int | None]:
    """A question about who is near. ValueError or KeyError for any other, and for what the route refuses."""
    pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=8)
    words = dict(pairs)
    if len(words) < len(pairs) or not words.keys() <= _KEYS:
        raise ValueError("another question")
    lat, lon = (float(part) for part in words["near"].split(","))
    radius_m = float(words["radius_m"])
    limit = int(words["limit"]) if "limit" in words else None
    if not (abs(lat) <= 90 and abs(lon) <= 180 and 0 < radius_m <= RADIUS_MOST_M):
        raise ValueError("out of range")
    if limit is not None and not 1 <= limit <= 1000:
        raise ValueError("out of range")
    coord = words.get("coord", "wgs84")
    if coord not in ("wgs84", "gcj02"):
        raise ValueError("another system")
    point = from_gcj02((lat, lon)) if coord == "gcj02" else (lat, lon)
    return Query(point, radius_m, parse_wanted(words.get("usable", ""))), limit
