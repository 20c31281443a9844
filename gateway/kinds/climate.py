"""The air of a room. Each of its values has an age of its own: a device may tell one and no longer the other."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from gateway.base import bounds
from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Celsius, Percent, Signals

WATCHED = False
PartsPerMillion = Annotated[float, Meta(ge=bounds.CO2_PPM[0], le=bounds.CO2_PPM[1])]
Dust = Annotated[float, Meta(ge=bounds.PM25_UGM3[0], le=bounds.PM25_UGM3[1])]
Lux = Annotated[float, Meta(ge=bounds.ILLUMINANCE_LX[0], le=bounds.ILLUMINANCE_LX[1])]


class Shape(Signals, gc=False):
    temperature_c: Celsius | UnsetType = UNSET
    humidity_pct: Percent | UnsetType = UNSET
    co2_ppm: PartsPerMillion | UnsetType = UNSET
    pm25_ugm3: Dust | UnsetType = UNSET
    illuminance_lx: Lux | UnsetType = UNSET


SIGNALS = ("temperature_c", "humidity_pct", "co2_ppm", "pm25_ugm3", "illuminance_lx")


class Value(Known):
    """`measured`: each value as it is shown, and when it was told; `moved`: one is another since the last look."""

    __slots__ = ("measured", "moved")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.measured: dict[str, tuple[float, Millis]] = {}
        self.moved = False


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    told = {name: value for name in SIGNALS if (value := getattr(signals, name)) is not UNSET}
    if not told:
        return False
    # Nobody feels less than a tenth, and a document is made for each value that differs.
    shown = {name: (round(float(value), 1), now) for name, value in told.items()}
    before = known.measured
    known.moved = known.moved or any(
        name not in before or before[name][0] != value for name, (value, _) in shown.items()
    )
    known.measured = {**before, **shown}
    known.use = "free"
    return True


repeats = never_repeats
event = no_event


def due(known: Value, now: Millis) -> Millis | None:
    """At once where a value is another one, so that it is shown; else when the oldest one has run out."""
    if known.moved:
        known.moved = False
        return now
    ttl_ms = known.resource.ttl_ms
    end = min((at + ttl_ms for _, at in known.measured.values()), default=None)
    if end is None or now < end:
        return end
    known.measured = {name: told for name, told in known.measured.items() if now < told[1] + ttl_ms}
    return min((at + ttl_ms for _, at in known.measured.values()), default=None)
