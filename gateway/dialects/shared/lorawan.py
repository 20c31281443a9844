"""What ChirpStack and The Things Stack share: names in decoded LoRaWAN payloads, and the uplink's identity.

Names after the decoders of Milesight, Dragino and Browan in TheThingsNetwork/lorawan-devices. The totals of people
counters (`total_in`, `line_1_total_in`) feed counters and no room, for their difference drifts; what passed in a period
(`period_in`, `people_in`) feeds nothing, for a period that the air loses is lost.
"""

from typing import Final

from gateway.dialects.base import NO_HEADER, millis
from gateway.dialects.shared import values
from gateway.dialects.shared.facts import Name
from gateway.model import Header

MOST_VOLTS: Final = 5
NAMES: Final = (
    Name("occupancy", "presence", values.present),
    Name("occupied", "presence", values.present),
    Name("presence", "presence", values.present),
    Name("pir", "presence", values.present),
    Name("pir_status", "presence", values.present),
    Name("people_count_all", "people", values.people),
    Name("people_count", "people", values.people),
    Name("magnet_status", "open", values.opened),
    Name("door_status", "open", values.opened),
    Name("door", "open", values.opened),
    Name("active_power", "power_w", values.power_w),
    Name("battery", "battery_pct", values.battery_pct),
    Name("battery_level", "battery_pct", values.battery_pct),
    Name("smoke_status", "smoke", values.alarm),
    Name("gas_status", "gas", values.alarm),
    Name("leakage_status", "leak", values.alarm),
    Name("water_leak", "leak", values.alarm),
    Name("temperature", "temperature_c", values.temperature_c),
    Name("humidity", "humidity_pct", values.humidity_pct),
    Name("co2", "co2_ppm", values.co2_ppm),
    Name("pm2_5", "pm25_ugm3", values.pm25_ugm3),
    Name("illumination", "illuminance_lx", values.illuminance_lx),
    Name("total_in", "in", values.total),
    Name("total_out", "out", values.total),
    Name("line_1_total_in", "in", values.total),
    Name("line_1_total_out", "out", values.total),
)


def names() -> tuple[Name, ...]:
    """`NAMES` for one device, which may tell its battery in volts."""
    battery = Battery()
    return tuple(Name(name.key, name.fact, battery.read if name.fact == "battery_pct" else name.read) for name in NAMES)


class Battery:
    """A device's `battery`: per cent by most decoders, volts by some (Browan: 3.6).

    5 and less is believed once the same device has told more: no cell has as many volts, and 3 per cent come after 6.
    """

    __slots__ = ("_per_cent",)

    def __init__(self) -> None:
        self._per_cent = False

    def read(self, value: object) -> float | None:
        """Per cent; None where it may be volts. Raises Unreadable."""
        level = values.battery_pct(value)
        self._per_cent = self._per_cent or level > MOST_VOLTS
        return level if self._per_cent else None


def header(session: str | None, counter: int, time: str | None) -> Header:
    """The session (`devAddr` or session key) is the boot, the frame counter the sequence.

    The air loses frames for good, so nothing before this one is awaited. Without a session there is no identity.
    """
    ts = None if time is None else millis(time)
    if not session:
        return Header(ts) if ts else NO_HEADER
    return Header(ts, session, counter, counter)


def facts(body: dict[str, object]) -> tuple[str, ...]:
    """What a decoded payload reports."""
    return tuple(dict.fromkeys(name.fact for name in NAMES if name.key in body))
