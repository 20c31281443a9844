"""How many values the copy holds: asked in Flux, or in MetricsQL of an engine that speaks no Flux."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from config.schema.store import Influx
from gateway.influx.client import asking, not_found, question_refused
from gateway.influx.lines import FIELDS
from gateway.model import Millis
from gateway.store.base import StoreError

STATIONS_AT_ONCE = 50
MILLISECOND_NS = 1_000_000

Series = tuple[str, str, str, str]  # measurement, station, resource, field


@dataclass(frozen=True, slots=True)
class HeldValues:
    """Values by series. Of one series this engine keeps one value in each `step_ns`."""

    values: dict[Series, int]
    step_ns: int


def flux(bucket: str, stations: Sequence[str], start: Millis, end: Millis) -> str:
    """A row for each series: how many values it has in [start, end). A change of `type` makes it no other series."""
    measurement, station = "|".join(FIELDS), "|".join(stations)
    return (
        f"from(bucket: {quoted(bucket)})\n"
        f"  |> range(start: {rfc3339(start)}, stop: {rfc3339(end)})\n"
        f"  |> filter(fn: (r) => r._measurement =~ /^({measurement})$/ and r.station =~ /^({station})$/)\n"
        '  |> group(columns: ["_measurement", "station", "resource", "_field"])\n'
        "  |> count()"
    )


def metricsql(stations: Sequence[str], start: Millis, end: Millis) -> dict[str, str]:
    """The same as parameters of `/api/v1/query`. A window is open at its beginning and closed at its end."""
    chosen = f'{{__name__=~"({"|".join(FIELDS)})_.+",station=~"{"|".join(stations)}"}}'
    return {
        "query": f"count_over_time({chosen}[{end - start}ms]) keep_metric_names",
        "time": f"{(end - 1) / 1000:.3f}",
        "nocache": "1",
    }


def quoted(text: str) -> str:
    """As a string of Flux."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'


def rfc3339(at: Millis) -> str:
    return datetime.fromtimestamp(max(at, 0) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def held(influx: Influx, stations: Sequence[str], start: Millis, end: Millis) -> HeldValues:
    """What the copy holds of these stations in [start, end). StoreError where it can't be asked."""
    values: dict[Series, int] = {}
    step_ns = 1
    with asking(influx) as client:
        for first in range(0, len(stations), STATIONS_AT_ONCE):
            some = stations[first : first + STATIONS_AT_ONCE]
            step_ns = _ask(client, influx, some, (start, end), values)
    return HeldValues(values, step_ns)


def _ask(
    client: Any, influx: Influx, stations: Sequence[str], window: tuple[Millis, Millis], into: dict[Series, int]
) -> int:
    from influxdb_client.rest import ApiException

    try:
        into.update(_in_flux(client, flux(influx.bucket, stations, *window)))
    except ApiException as error:
        if error.status in (401, 403) or not_found(error):
            raise question_refused(influx, error) from None
        no_flux = error.status
    else:
        return 1
    try:
        into.update(_in_metricsql(client, metricsql(stations, *window)))
    except (ApiException, ValueError, KeyError) as error:
        why = getattr(error, "status", "nothing that we can read")
        raise StoreError(f"{influx.url} can't count: it answers {no_flux} to Flux and {why} to MetricsQL") from None
    return MILLISECOND_NS


def _in_flux(client: Any, text: str) -> Iterator[tuple[Series, int]]:
    for record in client.query_api().query_stream(text):
        row = record.values
        yield (row["_measurement"], row["station"], row["resource"], row["_field"]), int(row["_value"])


def _in_metricsql(client: Any, parameters: dict[str, str]) -> Iterator[tuple[Series, int]]:
    answer, _, _ = client.api_client.call_api(
        "/api/v1/query", "GET", query_params=list(parameters.items()), _preload_content=False
    )
    for row in json.loads(answer.data)["data"]["result"]:
        name = row["metric"]
        measurement, _, field = name["__name__"].partition("_")
        yield (measurement, name["station"], name["resource"], field), int(row["value"][1])
