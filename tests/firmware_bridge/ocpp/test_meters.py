"""Sampled values → power and register: units, phases, contexts, locations, and what is left out."""

from typing import Any

import pytest

from firmware_bridge.ocpp.meters import Sampled, latest, register, sampled

AT = "2026-11-21T00:01:00Z"
REGISTER, POWER = "Energy.Active.Import.Register", "Power.Active.Import"


def told(*samples: dict[str, Any]) -> tuple[float | None, float | None]:
    """(power, register) of one moment."""
    newest = latest(sampled([{"timestamp": AT, "sampledValue": list(samples)}]))
    return newest.power_w, newest.energy_wh


CASES: dict[str, tuple[list[dict[str, Any]], tuple[float | None, float | None]]] = {
    "a bare value is the register in Wh": ([{"value": "1234"}], (None, 1234)),
    "kWh": ([{"value": "1.234", "unit": "kWh"}], (None, 1234)),
    "kW": ([{"value": "7.2", "measurand": POWER, "unit": "kW"}], (7200, None)),
    "no unit means W": ([{"value": "7200", "measurand": POWER}], (7200, None)),
    "a number and a multiplier (2.x)": (
        [{"value": 12.5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}], (None, 12_500)),
    "kWh of 2.x": ([{"value": 12.5, "measurand": REGISTER, "unitOfMeasure": {"unit": "kWh"}}], (None, 12_500)),
    "three phases add up": (
        [{"value": str(1000 + at), "measurand": POWER, "phase": name} for at, name in enumerate(("L1", "L2", "L3"))],
        (3003, None)),
    "phases against N add up": (
        [{"value": "1000", "measurand": POWER, "phase": name} for name in ("L1-N", "L2-N")], (2000, None)),
    "a total beats its phases": (
        [{"value": "10", "measurand": POWER, "phase": "L1"}, {"value": "3000", "measurand": POWER}], (3000, None)),
    "voltages between phases are no power": ([{"value": "400", "measurand": POWER, "phase": "L1-L2"}], (None, None)),
    "what leaves beats what enters": (
        [{"value": "9", "measurand": POWER, "location": "Inlet"},
         {"value": "8", "measurand": POWER, "location": "Outlet"}], (8, None)),
    "intervals, exports and currents are left out": (
        [{"value": "5", "measurand": "Energy.Active.Import.Interval"},
         {"value": "6", "measurand": "Energy.Active.Export.Register"},
         {"value": "16", "measurand": "Current.Import", "unit": "A"},
         {"value": "9", "measurand": "Power.Offered"}], (None, None)),
    "signed data is left out": ([{"value": "00FF", "format": "SignedData"}], (None, None)),
    "an energy in W is none": ([{"value": "7", "unit": "A"}], (None, None)),
    "no number": ([{"value": "n/a"}, {"value": ""}, {"value": "nan"}, {"value": "1e400"}], (None, None)),
    "below zero": ([{"value": "-1"}], (None, None)),
    "beyond a charging park": ([{"value": "1000001", "measurand": POWER}], (None, None)),
    "a charging park": ([{"value": "1000000", "measurand": POWER}], (1_000_000, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_a_moment_tells(case: str) -> None:
    samples, expected = CASES[case]
    assert told(*samples) == expected


def test_begin_and_end_of_a_transaction_are_told_apart_at_one_time_stamp() -> None:
    samples = [{"value": "100", "context": "Transaction.Begin"}, {"value": "900", "context": "Transaction.End"}]
    moments = sampled([{"timestamp": AT, "sampledValue": samples}])
    assert (register(moments, "Transaction.Begin"), register(moments, "Transaction.End")) == (100, 900)
    assert register(moments, "Sample.Clock") is None


def test_the_newest_of_several_moments_counts_for_each() -> None:
    moments = sampled([
        {"timestamp": "1", "sampledValue": [{"value": "100"}, {"value": "50", "measurand": POWER}]},
        {"timestamp": "2", "sampledValue": [{"value": "110"}]},
    ])  # fmt: skip
    assert latest(moments) == Sampled("2", 50, 110)
    assert latest([]) == Sampled()
