"""From the configuration to a town."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config.resources import values_of
from config.schema import Settings
from firmware_bridge.emulator import day
from firmware_bridge.emulator.stations import NO_DEVICE
from firmware_bridge.emulator.town import Town
from gateway.model import Millis, Resource

MAX_HELD = 2_000_000  # messages that wait for a watermark in all devices together, about 250 bytes each


def resources_of(settings: Settings) -> Iterator[Resource]:
    """Every configured resource that a native device speaks for, not those of a foreign `source` or of people alone."""
    for station, area, item in settings.resources():
        if item.source is None and NO_DEVICE not in item.features:
            yield Resource(**values_of(settings, station, area, item))


def town_of(
    settings: Settings,
    start: Millis,
    *,
    seed: int = 0,
    speed: float = 1.0,
    faults: float = 0.0,
    from_midday: bool = False,
    sparing: bool = False,
) -> Town:
    """The configured stations, at the hour it is in `settings.timezone`, or with `from_midday` as just before noon.

    `sparing`: devices report only as often as their values would run out. `faults`: the share of devices (0 to 1) that
    misbehave at any time. ValueError when there is nothing to simulate or a number is out of range.
    """
    now = datetime.fromtimestamp(start / 1000, UTC).astimezone(ZoneInfo(settings.timezone))
    offset = now.utcoffset()
    utc_offset_s = offset.total_seconds() if offset else 0.0
    day_start_s = (day.midday if from_midday else day.local_s)(start, utc_offset_s)
    resources = list(resources_of(settings))
    hold = max(20, min(200, MAX_HELD // max(1, len(resources))))
    return Town(
        resources,
        start=start,
        day_start_s=day_start_s,
        seed=seed,
        speed=speed,
        fault_rate=faults,
        hold=hold,
        sparing=sparing,
    )
