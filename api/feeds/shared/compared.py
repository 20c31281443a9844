"""What a feed's answer says beside what the documents say: each place where it says more, or another thing.

For our own nightly reader, and for tests over many states. It reads the bytes that a reader gets, and knows nothing of
how they were made.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from api.csv_cells import MARK
from api.feeds.shared.calendar import OPEN
from gateway.live.station_document import ShownResource, StationDocument
from gateway.model import Millis

Documents = Mapping[str, StationDocument]
"""What each station that is asked about shows."""
Contradiction = tuple[str, str]
"""(station, what is said of it)"""


def contradictions(path: str, body: bytes, shown: Documents, now: Millis) -> list[Contradiction]:
    """Where a feed's answer contradicts the documents; `path` is that below /feeds/. An answer that can't be read
    contradicts all of them."""
    try:
        return list(_reader(path)(body, shown, now))
    except (ValueError, KeyError, TypeError, AttributeError, msgspec.MsgspecError) as error:
        return [(station, f"can't be read ({type(error).__name__})") for station in shown]


def ocpi_contradictions(locations: Iterable[Mapping[str, Any]], shown: Documents) -> list[Contradiction]:
    """A point is AVAILABLE where its document says that it is usable, and nowhere else."""
    usable = {(station, resource.id): resource.usable for station, of in shown.items() for resource in of.resources()}
    return [
        (location["id"], f"{evse['uid']} is {evse['status']}")
        for location in locations
        for evse in location["evses"]
        if (evse["status"] == "AVAILABLE") != (usable.get((location["id"], evse["uid"])) == "yes")
    ]


def _reader(path: str) -> Callable[[bytes, Documents, Millis], Iterator[Contradiction]]:
    readers = {"stations.geojson": _geojson, "stations.csv": _csv}
    return readers.get(path) or (_calendar if path.endswith(".ics") else _spaceapi)


def _geojson(body: bytes, shown: Documents, _now: Millis) -> Iterator[Contradiction]:
    rows = {feature["id"]: feature["properties"] for feature in msgspec.json.decode(body)["features"]}
    for station, of in shown.items():
        row = rows.get(station)
        if row is None:
            yield station, "is not in it"
            continue
        counts = {line["facility"]: (line["usable_min"], line["usable_max"], line["total"]) for line in row["counts"]}
        yield from _row(station, of, row["open"], row["aed"], counts)


def _csv(body: bytes, shown: Documents, _now: Millis) -> Iterator[Contradiction]:
    table = csv.DictReader(io.StringIO(body.decode("utf-8").removeprefix(MARK)))
    rows = {row["code"]: row for row in table}
    for station, of in shown.items():
        row = rows.get(station)
        if row is None:
            yield station, "is not in it"
            continue
        counts = dict(map(_count, filter(None, row["counts"].split(";"))))
        yield from _row(station, of, row["open"], row["aed"], counts)


def _count(text: str) -> tuple[str, tuple[int, int, int]]:
    facility, _, numbers = text.partition("=")
    least, _, rest = numbers.partition("..")
    most, _, total = rest.partition("/")
    return facility, (int(least), int(most), int(total))


def _row(
    station: str, of: StationDocument, open_now: str, aed: str, counts: Mapping[str, tuple[int, int, int]]
) -> Iterator[Contradiction]:
    if open_now != of.open.now:
        yield station, f"open is {open_now}"
    if (aed == "ready") != any(_is_ready(resource) for resource in of.resources()):
        yield station, f"aed is {aed}"
    right = {
        line.kind if line.type is None else f"{line.kind}:{line.type}": (line.usable_min, line.usable_max, line.total)
        for line in of.summary
    }
    if counts != right:
        yield station, f"counts are {counts}"


def _is_ready(resource: ShownResource) -> bool:
    return resource.type == "aed" and resource.usable == "yes"


def _spaceapi(body: bytes, shown: Documents, _now: Millis) -> Iterator[Contradiction]:
    said = msgspec.json.decode(body)["state"].get("open")
    for station, of in shown.items():
        certain = of.open.now != "unknown" and of.open.proof != "contradicted"
        if said is not None and not (certain and said == (of.open.now == "yes")):
            yield station, f"state.open is {said}"


SUREST: Final = "CONFIRMED"


def _calendar(body: bytes, shown: Documents, now: Millis) -> Iterator[Contradiction]:
    from icalendar import Calendar

    moment = datetime.fromtimestamp(now / 1000, UTC)
    events: list[Any] = list(Calendar.from_ical(body).walk("VEVENT"))
    sure = any(
        event["SUMMARY"] == OPEN and event["STATUS"] == SUREST and event["DTSTART"].dt <= moment < event["DTEND"].dt
        for event in events
    )
    for station, of in shown.items():
        if sure and (of.open.now != "yes" or of.open.proof == "contradicted"):
            yield station, "is said to be open for certain"
