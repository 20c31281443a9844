"""History out of the copy, for an API that has no journal beside it: Flux for the rows, the real core for the rest.

The copy holds what devices said, in numbers. Their messages are made again from it and go through the same pipeline, so
that the intervals follow from the same rules. What the copy never had is missing: which fault it was, bookings, what
was set by hand, and that a device said goodbye.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from config.kinds import SPECS
from config.schema import Settings
from config.schema.store import Influx
from gateway import wire
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build, resource_of
from gateway.influx.ask import quoted, rfc3339
from gateway.influx.client import asking
from gateway.influx.lines import COMMON, EPOCH_DAY, FIELDS, day_s, flag, some
from gateway.model import Axes, Interval, KindName, Millis, Reading, Rejected, Resource, Signal
from gateway.policy.hours import Openings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_BACK_MS = 86_400_000  # so long before the window a resource's last word is looked for


class InfluxRow(NamedTuple):
    """What one resource said at one moment."""

    station: str
    resource: str
    at: Millis
    signals: dict[str, Signal]


def query(bucket: str, start: Millis, end: Millis, station: str | None, resource: str | None) -> str:
    """Flux: one row for each moment of each resource, its fields side by side, the oldest first."""
    wanted = [f"r._measurement =~ /^({'|'.join(FIELDS)})$/"]
    wanted += [f"r.{tag} == {quoted(value)}" for tag, value in (("station", station), ("resource", resource)) if value]
    return (
        f"from(bucket: {quoted(bucket)})\n"
        f"  |> range(start: {rfc3339(start)}, stop: {rfc3339(end)})\n"
        f"  |> filter(fn: (r) => {' and '.join(wanted)})\n"
        '  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")\n'
        "  |> group()\n"
        '  |> sort(columns: ["_time"])'
    )


class InfluxReader:
    """See `store.base.Reader`. StoreError where the copy can't be asked."""

    def __init__(self, settings: Settings, influx: Influx) -> None:
        self._settings, self._influx = settings, influx
        items = settings.resources()
        every = [resource_of(settings, station, area, item) for station, area, item in items]
        self._resources = {(resource.station, resource.id): resource for resource in every}

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = None
    ) -> list[Interval]:
        known = self._resources.get((station, resource))
        if known is None:
            return []
        points = self._lived(known, self._rows(start - LOOK_BACK_MS, end, station, resource), end)
        if most is not None and len(points) > most:
            points, end = points[:most], points[most][0]
        ends = [at for at, _ in points[1:]] + [end]
        return [
            Interval(max(at, start), until, axes)
            for (at, axes), until in zip(points, ends, strict=False)
            if until > max(at, start)
        ]

    def _lived(self, resource: Resource, rows: Iterator[InfluxRow], end: Millis) -> list[tuple[Millis, Axes]]:
        """When its state changed, and to what, from its first word on."""
        first = next(rows, None)
        if first is None:
            return []
        stations = [station for station in self._settings.stations if station.id == resource.station]
        live = build(self._settings, stations, Openings(self._settings), first.at)
        pipeline = Pipeline(live)
        pipeline.take()
        points: list[tuple[Millis, Axes]] = []
        for row in (first, *rows, None):
            now = row.at if row is not None else end - 1
            while (deadline := live.next_deadline()) is not None and deadline <= now:
                pipeline.tick(deadline)
            if row is not None:
                topic, payload = message_of(resource, row)
                pipeline.handle_all([(topic, payload, 0)], row.at)
            changes = [change for change in pipeline.take().changes if change.resource.id == resource.id]
            points += [(change.at, change.after) for change in changes]
        return points

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        """By the time at which they were true; `boot` and `seq` are not in the copy."""
        last = end if end is not None else 2**42
        for number, row in enumerate(self._rows(start or 0, last, station, None), 1):
            resource = self._resources.get((row.station, row.resource))
            if resource is not None:
                payload = message_of(resource, row)[1]
                device = resource.device
                yield Reading(number, row.station, device, "state", None, None, row.at, row.at, False, False, payload)

    def quarantine(self) -> Iterator[Rejected]:
        """What could not be read is in the journal alone."""
        return iter(())

    def close(self) -> None:
        """Each question has a connection of its own."""

    def _rows(self, start: Millis, end: Millis, station: str | None, resource: str | None) -> Iterator[InfluxRow]:
        influx = self._influx
        with asking(influx) as client:
            for record in client.query_api().query_stream(query(influx.bucket, start, end, station, resource)):
                yield row_of(record.values)


def row_of(values: dict[str, Any]) -> InfluxRow:
    """A record of `query`. Columns of other kinds are empty in it."""
    kind: KindName = values["_measurement"]
    known = {*COMMON, *FIELDS[kind]}
    signals = {
        name: signal(kind, name, value)
        for name, value in values.items()
        if name in known and isinstance(value, (int, float))
    }
    # Below the millisecond stands the seq.
    at = (values["_time"] - EPOCH) // timedelta(milliseconds=1)
    return InfluxRow(values["station"], values["resource"], at, signals)


def signal(kind: KindName, name: str, value: float) -> Signal:
    """A field as the device said it, as far as a number tells."""
    text = {**COMMON, **FIELDS[kind]}[name]
    if text is flag:
        return value != 0
    if text is some:
        return "reported" if value else ""
    if text is day_s:
        return date.fromordinal(round(value) // 86_400 + EPOCH_DAY).isoformat()
    if words := [] if name in COMMON else SPECS[kind].signal(name).words:
        return words[int(value)] if 0 <= value < len(words) else "of_its_own"
    return int(value) if float(value).is_integer() else value


def message_of(resource: Resource, row: InfluxRow) -> tuple[bytes, bytes]:
    """Topic and payload of the message that the row was made from."""
    topic = wire.topic(resource.station, resource.device, "state").encode()
    return topic, msgspec.json.encode({"ts": row.at, **row.signals})
