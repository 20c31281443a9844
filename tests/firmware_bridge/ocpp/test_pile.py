"""What is known of a pile: connector 0, several connectors, clocks that are wrong, and what comes late."""

from typing import Any

from firmware_bridge.ocpp.pile import ChargePoint, Plug, time_of

NOW, HOUR, DAY = 1_795_000_000_000, 3_600_000, 86_400_000


def pile(*plugs: Plug) -> ChargePoint:
    return ChargePoint("CP001", plugs or (Plug("pile-1", None, 1), Plug("pile-2", None, 2)))


def news(one: ChargePoint, now: int = NOW) -> dict[str, Any]:
    return {reading.device: reading.signals for reading in one.news(now)}


def test_connectors_are_told_apart_by_number_and_by_evse() -> None:
    one = pile(Plug("a", None, 1), Plug("b", None, 2), Plug("c", 3, 1), Plug("d", 3, 2))
    assert [plug.device if plug else None for plug in (one.plug(1), one.plug(2), one.plug(9))] == ["a", "b", None]
    found = [
        one.plug(connector, evse)
        for evse, connector in ((1, 1), (2, 1), (3, 1), (3, 2), (3, None), (4, 1), (1, 2), (1, 0), (3, 0))
    ]
    assert [plug.device if plug else None for plug in found] == ["a", "b", "c", "d", "c", None, None, "a", None]


def test_the_whole_pile_overrules_its_connectors_while_it_is_out() -> None:
    one = pile()
    one.set_status(one.plug(1), "Charging", "", None, NOW)
    one.set_status(one.plug(2), "Available", "", None, NOW)
    assert {device: told["status"] for device, told in news(one).items()} == {
        "pile-1": "Charging",
        "pile-2": "Available",
    }
    one.set_status(None, "Faulted", "GroundFailure V42", None, NOW)
    assert news(one)["pile-2"] == {"status": "Faulted", "error": "GroundFailure V42"}
    one.set_status(None, "Unavailable", "", None, NOW)
    assert news(one)["pile-1"]["status"] == "Unavailable"
    one.set_status(one.plug(1), "Faulted", "OtherError", None, NOW)
    assert news(one)["pile-1"] == {"status": "Faulted", "error": "OtherError"}
    one.set_status(None, "Available", "", None, NOW)
    assert news(one)["pile-2"]["status"] == "Available"


def test_what_has_not_changed_is_told_again_after_a_minute_only() -> None:
    one = pile()
    one.set_status(one.plug(1), "Available", "", None, NOW)
    assert news(one) == {"pile-1": {"status": "Available", "error": ""}}
    assert news(one, NOW + 54_999) == {}
    assert news(one, NOW + 55_000) == {"pile-1": {"status": "Available", "error": ""}}
    assert news(one, NOW) == {"pile-1": {"status": "Available", "error": ""}}  # our clock was set back


def test_a_measurement_is_told_again_for_five_minutes_and_power_ends_with_the_charge() -> None:
    one = pile()
    plug = one.plugs[0]
    one.set_status(plug, "Charging", "", None, NOW)
    one.measure(plug, 7000.0, 100.0, NOW)
    assert one.signals(plug, NOW + 300_000)["power_w"] == 7000
    assert "power_w" not in one.signals(plug, NOW + 300_001)
    one.set_status(plug, "Finishing", "", None, NOW + 1)
    assert one.signals(plug, NOW + 1) == {"status": "Finishing", "error": "", "power_w": 0, "energy_wh": 100}


def test_occupied_of_2_x_is_told_by_the_state_of_its_transaction() -> None:
    one = pile()
    plug = one.plugs[0]
    words = []
    one.set_status(plug, "Occupied", "", None, NOW)
    for state in (None, "EVConnected", "Charging", "SuspendedEV", "SuspendedEVSE", "Idle"):
        one.set_state(plug, state)
        words.append(one.signals(plug, NOW)["status"])
    assert words == ["Occupied", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"]
    one.set_status(plug, "Available", "", None, NOW)
    assert one.signals(plug, NOW)["status"] == "Available"


def test_a_status_that_is_older_by_the_piles_own_clock_is_left_out() -> None:
    one = pile()
    plug = one.plugs[0]
    one.set_status(plug, "Charging", "", NOW - 5 * DAY, NOW)  # its clock is five days slow
    one.set_status(plug, "Available", "", NOW - 5 * DAY - 60_000, NOW)
    assert plug.status == "Charging"
    one.set_status(plug, "Available", "", NOW - 5 * DAY + 60_000, NOW + 60_000)
    assert plug.status == "Available"
    one.set_status(plug, "Charging", "", NOW + 5 * DAY, NOW + 120_000)
    one.set_status(plug, "Finishing", "", NOW + 180_000, NOW + 180_000)  # it has taken our time
    assert plug.status == "Finishing"
    one.dialled("1.6")
    one.set_status(plug, "Available", "", 5_000, NOW + 240_000)  # it has begun anew, in 1970
    assert plug.status == "Available"


def test_a_pile_whose_clock_is_right_comes_late_with_what_it_queued() -> None:
    one = pile()
    assert not one.late(NOW - 120_000, NOW)
    assert one.late(NOW - 120_001, NOW)
    assert not one.late(None, NOW)
    assert not one.late(NOW + DAY, NOW)


def test_a_pile_whose_clock_is_wrong_tells_of_now() -> None:
    one = pile()
    one.set_status(one.plugs[0], "Charging", "", NOW - 3 * HOUR, NOW)
    assert not one.late(NOW - 3 * HOUR, NOW)
    assert one.late(NOW - 3 * HOUR - 120_001, NOW)
    assert one.our_time(NOW - 4 * HOUR, NOW) == NOW - HOUR
    assert one.our_time(NOW - 3 * HOUR, NOW) == NOW


def test_the_time_of_a_transaction_is_the_piles_where_it_can_be() -> None:
    one = pile()
    assert one.our_time(NOW - 5 * HOUR, NOW) == NOW - 5 * HOUR
    assert one.our_time(NOW + HOUR, NOW) == NOW
    assert one.our_time(0, NOW) == NOW  # 1970: it has no clock
    assert one.our_time(None, NOW) == NOW


def test_times_are_read_as_piles_write_them() -> None:
    assert time_of("2026-11-21T00:00:02Z") == 1_795_219_202_000
    assert time_of("2026-11-21T08:00:02.5+08:00") == 1_795_219_202_500
    assert time_of("2026-11-21T00:00:02") == 1_795_219_202_000
    for wrong in (None, 7, "", "yesterday", "2026-13-01T00:00:00Z", "9" * 50, "0000-00-00T00:00:00Z"):
        assert time_of(wrong) is None
