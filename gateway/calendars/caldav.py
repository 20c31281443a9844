"""A CalDAV collection (RFC 4791): its events asked for by time, one by its UID, and one written back.

What is written goes under the ETag that was read, so nobody's change is lost.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from gateway.base.clock import now_ms
from gateway.base.local_time import DAY_MS
from gateway.calendars.lines import CalendarError, unpacked
from gateway.calendars.wanted import CalendarAddress
from gateway.calendars.web import WebLine, WebSource
from gateway.model import Millis

PAST_MS, AHEAD_MS = 2 * DAY_MS, 15 * DAY_MS
MOST_OBJECT_BYTES: Final = 256 * 1024
_DAV, _CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_QUERY: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
    "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
    '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">{inner}</c:comp-filter></c:comp-filter>'
    "</c:filter></c:calendar-query>"
)
_HEADERS: Final = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """One file of a collection: the events of one UID. `etag` None: the server gives none, so it can't be written."""

    url: str
    etag: str | None
    data: bytes


class Caldav:
    """One collection. Everything raises OSError, with a text that may be shown."""

    def __init__(self, address: CalendarAddress) -> None:
        self._line = WebLine(address.source, address.login)

    def between(self, first: Millis, last: Millis) -> list[CalendarObject]:
        """Those with events in a time."""
        start, end = (f"{datetime.fromtimestamp(at / 1000, UTC):%Y%m%dT%H%M%SZ}" for at in (first, last))
        return self._query(f'<c:time-range start="{start}" end="{end}"/>')

    def of_uid(self, uid: str) -> list[CalendarObject]:
        """Those of one UID. A server that does not look so closely gives more."""
        text = f'<c:text-match collation="i;octet">{escape(uid)}</c:text-match>'
        objects = self._query(f'<c:prop-filter name="UID">{text}</c:prop-filter>')
        return [stored for stored in objects if len(stored.data) <= MOST_OBJECT_BYTES]

    def put(self, changed: CalendarObject) -> None:
        """Write it, unless it is another by now (WebRefusalError 412)."""
        if changed.etag is None:
            raise OSError("the server gives no ETag, so nothing can be written without harm")
        headers = {"If-Match": changed.etag, "Content-Type": "text/calendar; charset=utf-8"}
        self._line.ask("PUT", changed.url, changed.data, headers)

    def _query(self, inner: str) -> list[CalendarObject]:
        answer = self._line.ask("REPORT", data=_QUERY.format(inner=inner).encode(), headers=_HEADERS)
        return [
            CalendarObject(url, etag, data.encode())
            for href, etag, data in _objects(_unpacked(answer.data))
            if _same_site(url := urljoin(self._line.url, href), self._line.url)
        ]


class CaldavSource(WebSource):
    """A collection read as one calendar."""

    def __init__(self, address: CalendarAddress, cache: Path) -> None:
        super().__init__(address.source, cache, address.login)
        self._caldav = Caldav(address)

    def get(self) -> bytes:
        now = now_ms()
        objects = self._caldav.between(now - PAST_MS, now + AHEAD_MS)
        return (
            b"".join(stored.data.rstrip() + b"\r\n" for stored in sorted(objects, key=lambda stored: stored.url))
            or EMPTY
        )


EMPTY: Final = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//yizhan//empty//\r\nEND:VCALENDAR\r\n"


def _unpacked(data: bytes) -> bytes:
    try:
        return unpacked(data)
    except CalendarError as error:
        raise OSError(f"the answer {error}") from None


def _objects(data: bytes) -> list[tuple[str, str | None, str]]:
    """(href, etag, text) of a multistatus. OSError for what is none."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise OSError("the answer is no multistatus: it defines words of its own")
    try:
        root = ET.fromstring(data)  # noqa: S314  without entities, see above
    except ET.ParseError:
        raise OSError("the answer is no XML: is the address that of the CalDAV collection?") from None
    if root.tag != f"{_DAV}multistatus":
        raise OSError("the answer is no multistatus: is the address that of the CalDAV collection?")
    objects = []
    for response in root.iter(f"{_DAV}response"):
        href = response.findtext(f"{_DAV}href")
        text = response.findtext(f".//{_CAL}calendar-data")
        if href and text and text.strip():
            objects.append((href.strip(), response.findtext(f".//{_DAV}getetag"), text))
    return objects


def _same_site(url: str, other: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(other)[:2]
