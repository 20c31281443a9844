"""A quiet station's change is told at once; a busy one's after its interval; many at once leave time for messages."""

from typing import Any

from gateway.runtime.pace import DOCUMENTS_A_TURN, DocumentPace
from tests.gateway.live.house import House

INTERVAL_MS = 10


def quiet_house() -> tuple[House, DocumentPace]:
    house = House([{"id": "seat-01", "kind": "seat"}, {"id": "seat-02", "kind": "seat"}])
    pace = DocumentPace(house.live, INTERVAL_MS)
    pace.made(pace.take(house.now), house.now, 0.0, 0.0)
    house.wait(1_000)
    return house, pace


def told(house: House, pace: DocumentPace, moment_s: float = 1.0, took_s: float = 0.0) -> int:
    stations = pace.take(house.now)
    pace.made(stations, house.now, moment_s, moment_s + took_s)
    return len(stations)


def test_a_change_of_a_quiet_station_does_not_wait():
    house, pace = quiet_house()
    house.say("seat-01", occupied=True)
    assert pace.wait_s(house.now) == 0
    assert told(house, pace) == 1
    assert house.live.dirty == []


def test_the_next_change_waits_for_the_interval_and_no_longer():
    house, pace = quiet_house()
    house.say("seat-01", occupied=True)
    told(house, pace)
    house.now += 3
    house.say("seat-01", occupied=False)
    assert told(house, pace) == 0
    assert pace.wait_s(house.now) == (INTERVAL_MS - 3) / 1000
    house.say("seat-02", occupied=True)  # joins the same document
    house.now += INTERVAL_MS - 3
    assert told(house, pace) == 1
    assert house.live.dirty == []


def test_a_station_that_has_just_had_one_keeps_no_other_waiting():
    house = House([{"id": "seat-01", "kind": "seat"}], settings={"stations": [_station("aa"), _station("bb")]})
    pace = DocumentPace(house.live, INTERVAL_MS)
    assert told(house, pace) == 2
    house.now += 1
    house.live.touch(house.live.stations["aa"])
    assert told(house, pace) == 0
    house.now += INTERVAL_MS - 1
    house.live.touch(house.live.stations["bb"])
    assert pace.wait_s(house.now) == 0
    assert told(house, pace) == 2


def test_a_clock_that_was_set_back_keeps_nobody_waiting():
    house, pace = quiet_house()
    told(house, pace)
    house.now -= 3_600_000
    house.live.touch(house.live.stations["yanshan"])
    assert told(house, pace) == 1


def test_while_messages_wait_documents_take_a_ninth_of_the_time_and_else_all_they_need():
    house, pace = quiet_house()
    house.say("seat-01", occupied=True)
    told(house, pace, moment_s=1.0, took_s=0.001)
    house.now += INTERVAL_MS
    house.say("seat-01", occupied=False)
    assert not pace.due(house.now, 1.0089, messages_wait=True)
    assert pace.due(house.now, 1.0091, messages_wait=True)
    assert pace.due(house.now, 1.0011, messages_wait=False)


def test_with_nothing_to_tell_none_is_due():
    house, pace = quiet_house()
    assert not pace.due(house.now, 1.0, messages_wait=False)


def test_more_than_fit_one_turn_are_made_turn_by_turn():
    stations = [_station(f"s-{n}") for n in range(DOCUMENTS_A_TURN + 1)]
    house = House(settings={"stations": stations})
    pace = DocumentPace(house.live, INTERVAL_MS)
    assert told(house, pace, took_s=1.0) == DOCUMENTS_A_TURN == 25
    assert pace.wait_s(house.now) == 0
    assert told(house, pace) == 1
    assert house.live.dirty == []


def _station(name: str) -> dict[str, Any]:
    return {"id": name, "hours": "24/7", "areas": [{"id": "hall", "resources": [{"id": "seat-01", "kind": "seat"}]}]}
