"""What went wrong with the demo's devices in the week before it began, and what still is when it begins.

Days are counted from 0, seven days ago; hours are local. What is over by now ended yesterday at the latest. The devices
of STANDING are those with a trouble that goes on: emulated devices of the present have it, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from firmware_bridge.emulator.faults import INSTEAD, Misbehaviour
from gateway.model import Millis, Signal

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DAYS = 7
FOREVER_MS = 3650 * DAY_MS
HANDED_OVER_H = 24
"""So long before now those whose trouble stands were given to the gateway of today."""
REPAIRED_AFTER_MS = 600_000  # the pile that somebody is at works again so long after the demo began

STANDING: Mapping[str, frozenset[str]] = {
    "yanshan": frozenset({"pile-04", "pile-07", "seat-05"}),
    "xixiang": frozenset({"aed", "seat-16"}),
    "henggang": frozenset({"seat-09", "medicine"}),
    "shekou": frozenset({"water", "first-aid", "pile-10", "phone-03"}),
}


class Week(NamedTuple):
    """`midnight`: when day 0 began there; `now`: when the demo begins, on day 7."""

    midnight: Millis
    now: Millis

    def at(self, day: int, hour: float) -> Millis:
        return self.midnight + day * DAY_MS + round(hour * HOUR_MS)

    def ago(self, hours: float) -> Millis:
        return self.now - round(hours * HOUR_MS)


@dataclass(frozen=True, slots=True)
class DeviceSaid:
    """An event that a device tells."""

    at: Millis
    station: str
    device: str
    fields: Mapping[str, Signal]


class _Spells:
    """Collects spells of misbehaviour."""

    def __init__(self, week: Week) -> None:
        self.week, self.all = week, list[Misbehaviour]()

    def over(self, day: int, hours: tuple[float, float], device: str, kind: str = INSTEAD, **said: Signal) -> None:
        """`device`: station/device; from the first hour of that day to the second, which may lie on a later one."""
        begins, ends = (self.week.at(day, hour) for hour in hours)
        self._add(device, kind, begins, ends, said)

    def out_of_order(self, day: int, hours: tuple[float, float], device: str, error: str) -> None:
        self.over(day, hours, device, status="Faulted", power_w=0.0, error=error)

    def since(self, hours_ago: float, device: str, kind: str = INSTEAD, **said: Signal) -> None:
        """It still is so."""
        self._add(device, kind, self.week.ago(hours_ago), self.week.now + FOREVER_MS, said)

    def _add(self, place: str, kind: str, begins: Millis, ends: Millis, said: Mapping[str, Signal]) -> None:
        station, _, device = place.partition("/")
        self.all.append(Misbehaviour(kind, station, device, begins, ends, said))


def past_troubles(week: Week, stations: Mapping[str, list[str]]) -> list[Misbehaviour]:
    """Those that are over, of devices without a trouble that stands. `stations`: all devices of each."""
    spells = _Spells(week)
    over = spells.over
    over(0, (8, 80), "yanshan/first-aid", expires=_day(week, 20))
    over(1, (8, 103), "xixiang/seat-07", battery_pct=14)
    spells.out_of_order(1, (9.2, 11.5), "yanshan/pile-02", "GroundFailure")
    over(2, (2, 9), "henggang/seat-11", "silence")
    over(2, (9, 15), "shekou/aed", ready=False)
    over(2, (10, 16), "shekou/phone-02", "clock_skew")
    over(2, (12.5, 18), "henggang/microwave", status="fault", power_w=0.0)
    over(3, (8, 30), "shekou/medicine", expires=_day(week, 15))
    over(3, (12.1, 12.4), "henggang/smoke", alarm=True)
    spells.out_of_order(3, (14, 17), "xixiang/pile-05", "OverCurrentFailure")
    over(3, (19, 21.5), "shekou/pile-03", status="Charging", power_w=0.0)
    for device in stations.get("shekou", ()):
        over(4, (3.1, 5), f"shekou/{device}", "silence")
    over(4, (9, 19.5), "henggang/door-main", fault="reader does not answer")
    over(5, (7.5, 8.1), "henggang/door-main", open=True, locked=False)
    over(5, (9.5, 17), "yanshan/seat-03", occupied=True)
    over(5, (20, 22), "yanshan/pile-05", status="Available", power_w=430.0)
    over(6, (17, 20.5), "henggang/lockers", free=0)
    over(6, (10, 11.5), "yanshan/counter", "silence")
    return spells.all


def standing_troubles(week: Week) -> list[Misbehaviour]:
    """Those of STANDING's devices, which go on."""
    spells = _Spells(week)
    since = spells.since
    since(2.6, "yanshan/pile-04", status="Faulted", power_w=0.0, error="GroundFailure")
    spells.all.append(
        Misbehaviour(
            INSTEAD, "yanshan", "pile-07", week.ago(19), week.now + REPAIRED_AFTER_MS,
            {"status": "Faulted", "power_w": 0.0, "error": "ConnectorLockFailure"},
        )
    )  # fmt: skip
    since(0.8, "xixiang/aed", ready=False)
    since(5, "xixiang/seat-16", "silence")
    since(21, "henggang/seat-09", battery_pct=11)
    since(18, "henggang/medicine", expires=_day(week, 12))
    since(20, "shekou/water", status="fault", power_w=0.0)
    since(21.5, "shekou/first-aid", expires=_day(week, 20))
    return spells.all


def shut_out(week: Week) -> list[Misbehaviour]:
    """The chained station: shut for four hours and opened again, and shut since yesterday."""
    spells = _Spells(week)
    spells.over(2, (8, 12), "chained/door-main", open=False, locked=True)
    spells.since(20.5, "chained/door-main", open=False, locked=True)
    return spells.all


def park_without_power(week: Week) -> list[Misbehaviour]:
    """The switch of the car park's bridge."""
    spells = _Spells(week)
    for number in range(1, 5):
        spells.over(3, (22, 23.2), f"carpark/car-{number:02d}", "silence")
    return spells.all


def past_events(week: Week) -> list[DeviceSaid]:
    """What devices told once, of those whose troubles are over."""
    return [
        DeviceSaid(week.at(4, 2.6), "xixiang", "door-main", {"type": "door_forced"}),
        DeviceSaid(week.at(5, 23.4), "yanshan", "door-main", {"type": "help"}),
        DeviceSaid(week.at(6, 1.2), "shekou", "pile-06", {"type": "tamper"}),
    ]


def standing_events(week: Week) -> list[DeviceSaid]:
    return [DeviceSaid(week.ago(6), "shekou", "pile-10", {"type": "tamper"})]


def _day(week: Week, days_ahead: int) -> str:
    """A day so far ahead of now."""
    return datetime.fromtimestamp((week.now + days_ahead * DAY_MS) / 1000, UTC).date().isoformat()
