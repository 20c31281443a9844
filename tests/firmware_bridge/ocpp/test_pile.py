"""What is known of a pile: connector 0, several connectors, clocks that are wrong, and what comes late."""

from typing import Any

from firmware_bridge.ocpp.pile import ChargePoint, Plug, time_of

NOW, HOUR, DAY = 1_795_000_000_000, 3_600_000, 86_400_000


def pile(*plugs: Plug) -> ChargePoint:
    return ChargePoint("CP001", plugs or (Plug("pile-1", None, 1), Plug("pile-2", None, 2)))


def news(point: ChargePoint, now: int = NOW) -> dict[str, Any]:
    return {reading.device: reading.signals for reading in point.news(now)}


def test_connectors_are_told_apart_by_number_and_by_evse() -> None:
    point = pile(Plug("a", None, 1), Plug("b", None, 2), Plug("c", 3, 1), Plug("d", 3, 2))
    assert [plug.device if plug else None for plug in (point.plug(1), point.plug(2), point.plug(9))] == ["a", "b", None]
    plugs = [
        point.plug(connector, evse)
        for evse, connector in ((1, 1), (2, 1), (3, 1), (3, 2), (3, None), (4, 1), (1, 2), (1, 0), (3, 0))
    ]
    assert [plug.device if plug else None for plug in plugs] == ["a", "b", "c", "d", "c", None, None, "a", None]


def test_the_whole_pile_overrules_its_connectors_while_it_is_out() -> None:
    point = pile()
    point.set_status(point.plug(1), "Charging", "", None, NOW)
    point.set_status(point.plug(2), "Available", "", None, NOW)
    assert {device: told["status"] for device, told in news(point).items()} == {
        "pile-1": "Charging",
        "pile-2": "Available",
    }
    point.set_status(None, "Faulted", "GroundFailure V42", None, NOW)
    assert news(point)["pile-2"] == {"status": "Faulted", "error": "GroundFailure V42"}
    point.set_status(None, "Unavailable", "", None, NOW)
    assert news(point)["pile-1"]["status"] == "Unavailable"
    point.set_status(point.plug(1), "Faulted", "OtherError", None, NOW)
    assert news(point)["pile-1"] == {"status": "Faulted", "error": "OtherError"}
    point.set_status(None, "Available", "", None, NOW)
    assert news(point)["pile-2"]["status"] == "Available"


def test_what_has_not_changed_is_told_again_after_a_minute_only() -> None:
    point = pile()
    point.set_status(point.plug(1), "Available", "", None, NOW)
    assert news(point) == {"pile-1": {"status": "Available", "error": ""}}
    assert news(point, NOW + 54_999) == {}
    assert news(point, NOW + 55_000) == {"pile-1": {"status": "Available", "error": ""}}
    assert news(point, NOW) == {"pile-1": {"status": "Available", "error": ""}}  # our clock was set back


def test_a_measurement_is_told_again_for_five_minutes_and_power_ends_with_the_charge() -> None:
    point = pile()
    plug = point.plugs[0]
    point.set_status(plug, "Charging", "", None, NOW)
    point.measure(plug, 7000.0, 100.0, NOW)
    assert point.signals(plug, NOW + 300_000)["power_w"] == 7000
    assert "power_w" not in point.signals(plug, NOW + 300_001)
    point.set_status(plug, "Finishing", "", None, NOW + 1)
    assert point.signals(plug, NOW + 1) == {"status": "Finishing", "error": "", "power_w": 0, "energy_wh": 100}


def test_occupied_of_2_x_is_told_by_the_state_of_its_transaction() -> None:
    point = pile()
    plug = point.plugs[0]
    words = []
    point.set_status(plug, "Occupied", "", None, NOW)
    for state in (None, "EVConnected", "Charging", "SuspendedEV", "SuspendedEVSE", "Idle"):
        point.set_state(plug, state)
        words.append(point.signals(plug, NOW)["status"])
    assert words == ["Occupied", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"]
    point.set_status(plug, "Available", "", None, NOW)
    assert point.signals(plug, NOW)["status"] == "Available"


def test_a_status_that_is_older_by_the_piles_own_clock_is_left_out() -> None:
    point = pile()
    plug = point.plugs[0]
    point.set_status(plug, "Charging", "", NOW - 5 * DAY, NOW)  # its clock is five days slow
    point.set_status(plug, "Available", "", NOW - 5 * DAY - 60_000, NOW)
    assert plug.status == "Charging"
    point.set_status(plug, "Available", "", NOW - 5 * DAY + 60_000, NOW + 60_000)
    assert plug.status == "Available"
    point.set_status(plug, "Charging", "", NOW + 5 * DAY, NOW + 120_000)
    point.set_status(plug, "Finishing", "", NOW + 180_000, NOW + 180_000)  # it has taken our time
    assert plug.status == "Finishing"
    point.dialled("1.6")
    point.set_status(plug, "Available", "", 5_000, NOW + 240_000)  # it has begun anew, in 1970
    assert plug.status == "Available"


def test_a_pile_whose_clock_is_right_comes_late_with_what_it_queued() -> None:
    point = pile()
    assert not point.late(NOW - 120_000, NOW)
    assert point.late(NOW - 120_001, NOW)
    assert not point.late(None, NOW)
    assert not point.late(NOW + DAY, NOW)


def test_a_pile_whose_clock_is_wrong_tells_of_now() -> None:
    point = pile()
    point.set_status(point.plugs[0], "Charging", "", NOW - 3 * HOUR, NOW)
    assert not point.late(NOW - 3 * HOUR, NOW)
    assert point.late(NOW - 3 * HOUR - 120_001, NOW)
    assert point.our_time(NOW - 4 * HOUR, NOW) == NOW - HOUR
    assert point.our_time(NOW - 3 * HOUR, NOW) == NOW


def test_the_time_of_a_transaction_is_the_piles_where_it_can_be() -> None:
    point = pile()
    assert point.our_time(NOW - 5 * HOUR, NOW) == NOW - 5 * HOUR
    assert point.our_time(NOW + HOUR, NOW) == NOW
    assert point.our_time(0, NOW) == NOW  # 1970: it has no clock
    assert point.our_time(None, NOW) == NOW


def test_times_are_read_as_piles_write_them() -> None:
    assert time_of("2026-11-21T00:00:02Z") == 1_795_219_202_000
    assert time_of("2026-11-21T08:00:02.5+08:00") == 1_795_219_202_500
    assert time_of("2026-11-21T00:00:02") == 1_795_219_202_000
    for wrong in (None, 7, "", "yesterday", "2026-13-01T00:00:00Z", "9" * 50, "0000-00-00T00:00:00Z"):
        assert time_of(wrong) is None
