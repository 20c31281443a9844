"""What staff and visitors ask for: it is done, or refused in words, and never ends the thread that does it."""

import json
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import count
from pathlib import Path

import pytest

from gateway.alerting import Deed, DeedError
from gateway.alerting.deeds import decode
from gateway.alerts.words import AlertEvent
from gateway.commands import CommandError
from gateway.store.jobs import Job
from tests.gateway.alerting.house import STATION, T0, House

SHUT = STATION | {"id": "shut", "override": {"status": "closed"}}
WORKED_ON = STATION | {"id": "worked-on", "override": {"status": "maintenance"}}
_nonces = count()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, stations=[STATION, SHUT, WORKED_ON])
    yield house
    house.close()


def ask(house: House, do: str, **words: object) -> "Future[list[AlertEvent]]":
    deed = Deed(do=do, by="visitor", nonce=f"nonce-{next(_nonces)}", expires=house.now + 30_000, **words)  # type: ignore[arg-type]
    future = house.alerting.desk.do(deed)
    house.alerting.tick(house.now, house.ourselves)
    return future


@pytest.mark.parametrize("station", ["shut", "worked-on", "yanshan"])
def test_a_report_about_any_place_is_told_and_its_words_are_kept(house: House, station: str) -> None:
    events = ask(house, "report", station=station, resource="seat-01", sort="broken", text="the leg is loose").result(0)
    assert [event.action for event in events] == ["opened", "commented"]
    assert events[1].text == "the leg is loose"
    again = ask(house, "report", station=station, resource="seat-01", sort="broken", text="still").result(0)
    assert [(event.action, event.text) for event in again] == [("commented", "still")]


def test_words_about_one_station_stay_with_that_station(house: House) -> None:
    for station in ("yanshan", "shut"):
        events = ask(house, "report", station=station, resource="seat-01", sort="broken", text=f"at {station}").result(
            0
        )
        assert {event.alert.station for event in events} == {station}


def test_a_fault_in_a_deed_ends_the_deed_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(house.alerting.desk.deeds, "_report", lambda *_: next(iter(())))
        failed = ask(house, "report", station="yanshan", resource="seat-01", sort="broken")
    assert isinstance(failed.exception(0), StopIteration)
    assert ask(house, "report", station="yanshan", resource="seat-01", sort="broken").result(0)


def test_nothing_holds_of_a_deed_that_cannot_be_kept_for_another_machine(house: House) -> None:
    alert = ask(house, "report", station="yanshan", resource="seat-01", sort="broken").result(0)[0].alert

    def crowded(_deed: Deed, _now: int) -> list[Job]:
        raise CommandError("too many wait already", "too_many")

    house.alerting.desk.on_done = crowded
    refused = ask(house, "acknowledge", station="yanshan", target=alert.id)
    assert isinstance(refused.exception(0), CommandError)
    house.alerting.desk.on_done = lambda _deed, _now: []
    events = ask(house, "acknowledge", station="yanshan", target=alert.id).result(0)
    assert [event.action for event in events] == ["acknowledged"], "it was not taken before"


@pytest.mark.parametrize("link", [["x", 2**63], ["x", -1], ["x" * 65, 1], ["x", 1e300]])
def test_a_link_that_no_store_can_hold_is_refused(link: list[object]) -> None:
    deed = {"do": "acknowledge", "by": "link", "nonce": "n", "expires": T0, "link": link}
    with pytest.raises(DeedError):
        decode(json.dumps(deed).encode())


def test_who_takes_care_with_a_word_takes_care(house: House) -> None:
    opened = ask(house, "report", station="yanshan", resource="seat-01", sort="broken").result(0)
    events = ask(house, "acknowledge", target=opened[0].alert.id, text="on my way").result(0)
    assert [(event.action, event.alert.state) for event in events] == [
        ("acknowledged", "acknowledged"),
        ("commented", "acknowledged"),
    ], "what is stored last is how it is"
