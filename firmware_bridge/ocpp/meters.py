"""Sampled values → what flows and what the register says. Only the register of imported active energy counts.

1.6 writes values as text with a `unit`, 2.x as numbers with `unitOfMeasure`. No unit means Wh and W; no measurand means
the register. Values of single phases are added up where no total is told.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.base import bounds

REGISTER, POWER = "Energy.Active.Import.Register", "Power.Active.Import"
_FACTORS = {"Wh": 1.0, "kWh": 1000.0, "W": 1.0, "kW": 1000.0, None: 1.0}
_LARGEST = {REGISTER: bounds.ENERGY_WH, POWER: bounds.POWER_W}
_TOTALS = (None, "")
_PHASES = (("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"))
_LOCATIONS = (None, "Outlet", "Inlet", "Cable", "EV", "Body")
"""Best first: what leaves the pile before what enters it."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one moment's samples say; None where they say nothing of it."""

    at: str | None = None
    power_w: float | None = None
    energy_wh: float | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class _Sample:
    measurand: str
    value: float
    phase: str | None
    location: str | None
    context: str | None


def sampled(meter_values: Any) -> list[Sampled]:
    """One for each moment, in the order told. `meter_values` has passed the schema."""
    return [moment for meter_value in meter_values or () for moment in _moment(meter_value)]


def register(moments: Sequence[Sampled], context: str) -> float | None:
    """The register in that reading context, the last one told."""
    fit = [moment.energy_wh for moment in moments if moment.energy_wh is not None and moment.context == context]
    return fit[-1] if fit else None


def latest(moments: Sequence[Sampled]) -> Sampled:
    """The newest power and the newest register, whichever moments tell them."""
    power = [moment for moment in moments if moment.power_w is not None]
    energy = [moment for moment in moments if moment.energy_wh is not None]
    last = moments[-1] if moments else Sampled()
    return Sampled(last.at, power[-1].power_w if power else None, energy[-1].energy_wh if energy else None)


def _moment(meter_value: dict[str, Any]) -> Iterable[Sampled]:
    """The samples of one time stamp, parted by reading context: begin and end may share a time stamp."""
    samples = [sample for raw in meter_value.get("sampledValue", ()) if (sample := _sample(raw)) is not None]
    for context in dict.fromkeys(sample.context for sample in samples):
        here = [sample for sample in samples if sample.context == context]
        power, energy = (_total([sample for sample in here if sample.measurand == name]) for name in (POWER, REGISTER))
        if power is not None or energy is not None:
            yield Sampled(meter_value.get("timestamp"), power, energy, context)


def _sample(raw: dict[str, Any]) -> _Sample | None:
    """None for what is neither register nor power, or no number in reason."""
    measurand = raw.get("measurand", REGISTER)
    if measurand not in _LARGEST or raw.get("format", "Raw") != "Raw":
        return None
    unit_of = raw.get("unitOfMeasure") or {}
    factor = _FACTORS.get(raw.get("unit", unit_of.get("unit")))
    if factor is None:
        return None
    try:
        value = float(raw["value"]) * factor * 10.0 ** unit_of.get("multiplier", 0)
    except (ValueError, OverflowError):
        return None
    low, high = _LARGEST[measurand]
    if not math.isfinite(value) or not max(low, 0.0) <= value <= high:
        return None
    return _Sample(measurand, value, raw.get("phase"), raw.get("location"), raw.get("context", "Sample.Periodic"))


def _total(samples: Sequence[_Sample]) -> float | None:
    """The value of one measurand at one moment: the total as told, or the sum of the phases, at the best location."""
    for location in _LOCATIONS:
        here = {sample.phase: sample.value for sample in samples if sample.location == location}
        for phase in _TOTALS:
            if phase in here:
                return here[phase]
        for phases in _PHASES:
            told = [here[phase] for phase in phases if phase in here]
            if told:
                return round(sum(told), 3)
    return None
