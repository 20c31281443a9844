"""Energy is the difference of a counter and never more; a card from outside is a visit, told only in bands."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.kinds import SPECS
from gateway.base.bounds import POWER_W
from gateway.base.local_time import HOUR_MS
from gateway.history.tally import Meter, MeterSaid, Tally, energy_between, is_visit, passed_in
from gateway.wire import Event

MINUTE = 60_000


def heard(meter: Meter, minute: int, **said: object) -> Tally | None:
    told = meter.hear(MeterSaid(**said), minute * MINUTE, minute * MINUTE)  # type: ignore[arg-type]
    return told and told[0]


def test_what_the_counter_rose_by_is_energy_and_the_first_reading_is_none() -> None:
    meter = Meter()
    assert heard(meter, 0, energy_wh=5000) == Tally(readings=1)
    assert heard(meter, 1, energy_wh=5012.5) == Tally(energy_mwh=12_500, readings=1)
    assert heard(meter, 2, status="Charging") == Tally()


def test_a_counter_that_fell_was_reset_and_what_it_missed_is_not_invented() -> None:
    meter = Meter()
    for minute, counter in enumerate((5000, 5010)):
        heard(meter, minute, energy_wh=counter)
    assert heard(meter, 2, energy_wh=3) == Tally(resets=1, readings=1)
    assert heard(meter, 3, energy_wh=7) == Tally(energy_mwh=4000, readings=1)


READINGS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "cases" / "service" / "30_readings.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", READINGS, ids=lambda case: case["what"])
def test_what_no_meter_can_have_counted_in_the_time_is_no_energy(case: dict[str, Any]) -> None:
    meter, total = Meter(), Tally()
    for number, counter in enumerate(case["energy_wh"]):
        at = number * case["every_s"] * 1000
        told = meter.hear(MeterSaid(energy_wh=counter), at, at, case["most_w"])
        assert told
        total.add(told[0])
    assert (total.energy_mwh, total.resets) == (case["counted_wh"] * 1000, case["resets"])
    assert total.gap_mwh == case.get("gap_wh", 0) * 1000


@pytest.mark.parametrize(
    ("counter_wh", "told"), [(3_500, Tally(energy_mwh=3_500_000, readings=1)), (3_500.001, Tally(resets=1, readings=1))]
)
def test_in_an_hour_2_kw_may_count_an_hour_and_a_quarter_and_one_kwh(counter_wh: float, told: Tally) -> None:
    meter = Meter()
    meter.hear(MeterSaid(energy_wh=0), 0, 0, 2_000)
    told_of = meter.hear(MeterSaid(energy_wh=counter_wh), HOUR_MS, HOUR_MS, 2_000)
    assert told_of is not None
    assert told_of[0] == told


def test_every_type_of_charger_may_draw_what_its_rule_of_use_asks_for() -> None:
    for name, sort in SPECS["charger"].types.items():
        assert sort.running_above_w * 10 < sort.most_w <= POWER_W[1], name
    assert {name: sort.most_w for name, sort in SPECS["charger"].types.items()} == {
        "phone": 2_000, "ebike": 10_000, "ev": 1_000_000,
    }, "as docs/timeseries.md says"  # fmt: skip


def test_energy_over_a_gap_is_known_but_not_its_hour() -> None:
    meter = Meter()
    heard(meter, 0, energy_wh=100)
    assert heard(meter, 61, energy_wh=150) == Tally(gap_mwh=50_000, readings=1)
    assert heard(meter, 200, energy_wh=150) == Tally(readings=1)
    assert meter.total_mwh == 50_000


@pytest.mark.parametrize(
    "late",
    [
        {"boot": "b", "seq": 4, "energy_wh": 90},
        {"boot": "b", "seq": 5, "energy_wh": 90},
        {"boot": "a", "seq": 99, "energy_wh": 90},
    ],
)
def test_a_message_older_than_what_is_known_tells_nothing_new(late: dict[str, object]) -> None:
    meter = Meter()
    heard(meter, 0, boot="a", seq=9, energy_wh=80)
    heard(meter, 1, boot="b", seq=5, energy_wh=100)
    assert heard(meter, 2, **late) is None
    assert heard(meter, 3, boot="b", seq=6, energy_wh=110) == Tally(energy_mwh=10_000, readings=1)


def test_without_numbers_the_time_tells_which_message_is_late() -> None:
    meter = Meter()
    heard(meter, 5, energy_wh=100)
    assert heard(meter, 4, energy_wh=90) is None


def marks(*said: dict[str, object]) -> dict[int, tuple[int, int, int]]:
    meter, marks_by_minute = Meter(), {}
    for minute, fields in enumerate(said):
        told = meter.hear(MeterSaid(**fields), minute * MINUTE, minute * MINUTE)  # type: ignore[arg-type]
        marks_by_minute.update({mark[0] // MINUTE: mark for mark in told[1]} if told else {})
    return marks_by_minute


def test_a_use_has_what_flowed_from_the_reading_before_it_to_the_one_at_its_end() -> None:
    read = marks(
        {"status": "Available", "energy_wh": 100},
        {"status": "Charging", "energy_wh": 101},
        {"status": "Charging", "energy_wh": 105},
        {"status": "Available", "energy_wh": 107},
        {"status": "Available", "energy_wh": 107},
    )
    assert energy_between(read[1], read[3]) == 7000


def test_a_meter_that_reports_apart_from_the_status_is_read_after_the_end() -> None:
    read = marks(
        {"energy_wh": 100}, {"status": "Available"}, {"status": "Charging"}, {"status": "Available"}, {"energy_wh": 130}
    )
    assert energy_between(read[2], read[3]) == 30_000


def test_two_uses_that_no_reading_parts_have_no_energy() -> None:
    read = marks(
        {"status": "Available", "energy_wh": 100}, {"status": "Charging"}, {"status": "Available"},
        {"status": "Charging", "energy_wh": 130}, {"status": "Available", "energy_wh": 140},
    )  # fmt: skip
    assert energy_between(read.get(1), read.get(2)) is None
    assert energy_between(read.get(3), read.get(4)) is None


def test_a_use_in_which_the_counter_fell_has_no_energy() -> None:
    read = marks(
        {"status": "Available", "energy_wh": 100}, {"status": "Charging", "energy_wh": 110},
        {"status": "Charging", "energy_wh": 1}, {"status": "Available", "energy_wh": 9},
    )  # fmt: skip
    assert energy_between(read[1], read[3]) is None


def test_a_meter_never_heard_gives_no_energy_rather_than_none_used() -> None:
    assert marks({"status": "Available"}, {"status": "Charging"}, {"status": "Available"}) == {}


@pytest.mark.parametrize(
    ("event", "visit"),
    [
        (Event("card", granted=True, direction="in"), True),
        (Event("card"), True),
        (Event("card", granted=True, direction="out"), False),
        (Event("card", granted=False), False),
        (Event("door_forced"), False),
    ],
)
def test_a_visit_is_a_card_that_was_let_in(event: Event, visit: bool) -> None:
    assert is_visit(event) is visit


@pytest.mark.parametrize(
    ("event", "people"),
    [
        (Event("passage", direction="in", n=3), 3),
        (Event("passage", direction="in"), 1),
        (Event("passage", direction="out", n=3), 0),
        (Event("passage"), 0),
        (Event("card", direction="in"), 0),
    ],
)
def test_a_counter_tells_who_came_in_one_by_one_or_several_at_once(event: Event, people: int) -> None:
    assert passed_in(event) == people


def test_a_gap_is_longer_than_an_hour() -> None:
    meter = Meter()
    heard(meter, 0, energy_wh=0)
    assert heard(meter, HOUR_MS // MINUTE, energy_wh=1) == Tally(energy_mwh=1000, readings=1)
