"""What staff do with alerts and orders is done at the box and at its centre, once at each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.runtime.chain import Machine

FORCED = "door_forced"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Machine]:
    made = Machine("box", tmp_path)
    yield made
    made.close()


@pytest.fixture
def centre(tmp_path: Path, box: Machine) -> Iterator[Machine]:
    made = Machine("hall", tmp_path, box)
    yield made
    made.close()


def forced(*machines: Machine) -> None:
    """A door is forced; each hears of it at another moment, so it has another name at each."""
    for late, machine in enumerate(machines):
        machine.now += late * 700
        machine.send("door", "event", type="door_forced")
    assert len({machine.alert(FORCED).id for machine in machines}) == len(machines)


def state(machine: Machine) -> tuple[str, str | None]:
    alert = machine.alert(FORCED)
    return alert.state, alert.acknowledged_by


def work(machine: Machine) -> list[tuple[str, str]]:
    return [(order.state, order.assignee) for order in machine.work]


def test_who_takes_care_at_the_centre_takes_care_at_the_box(centre: Machine, box: Machine) -> None:
    forced(centre, box)
    centre.deed("acknowledge", centre.alert(FORCED).id, text="on my way")
    centre.exchange()
    assert state(box) == ("acknowledged", "li@centre")
    assert box.audit == [("li@centre", "acknowledge")]
    assert centre.audit == [("li", "acknowledge")]
    assert centre.errands == [("box", "done", "")]


def test_who_takes_care_at_the_box_takes_care_at_the_centre(centre: Machine, box: Machine) -> None:
    forced(centre, box)
    box.deed("acknowledge", box.alert(FORCED).id, by="wang")
    centre.exchange()
    assert state(centre) == ("acknowledged", "wang@box")
    assert (box.errands, centre.errands) == ([("", "done", "")], [])
    assert (box.audit, centre.audit) == ([("wang", "acknowledge")], [("wang@box", "acknowledge")])


def test_an_order_goes_its_way_at_both(centre: Machine, box: Machine) -> None:
    forced(centre, box)
    centre.deed("assign", centre.alert(FORCED).id, text="mend the door", assignee="chen")
    centre.exchange()
    assert work(box) == work(centre) == [("assigned", "chen")]
    assert box.work[0].alert == box.alert(FORCED).id
    box.deed("accept", box.work[0].id, by="chen")
    centre.exchange()
    box.deed("done", box.work[0].id, by="chen")
    centre.exchange()
    assert work(box) == work(centre) == [("done", "chen")]
    centre.deed("verify", centre.work[0].id)
    centre.exchange()
    assert work(box) == work(centre) == [("closed", "chen")]
    for machine in (box, centre):
        assert not [alert for alert in machine.alerting.core.desk.open_alerts() if alert.kind == FORCED]


def test_a_mute_and_its_end_and_a_step_back_reach_the_box(centre: Machine, box: Machine) -> None:
    forced(centre, box)
    centre.deed("acknowledge", centre.alert(FORCED).id)
    centre.exchange()
    centre.deed("undo", centre.alert(FORCED).id)
    centre.exchange()
    assert state(box) == ("open", None)
    centre.deed("close", centre.alert(FORCED).id)
    centre.exchange()
    assert not [alert for alert in box.alerting.core.desk.open_alerts() if alert.kind == FORCED]


def test_what_visitors_report_at_the_centre_is_told_at_the_box(centre: Machine, box: Machine) -> None:
    centre.deed("report", by="visitor", resource="seat-01", sort="broken", text="the leg is loose")
    centre.exchange()
    assert box.alert("reported").resource == "seat-01"


@pytest.mark.parametrize("killed", ["nobody", "box", "hall"])
def test_without_a_line_it_waits_and_is_done_once_when_it_is_back(centre: Machine, box: Machine, killed: str) -> None:
    forced(centre, box)
    centre.cut()
    centre.deed("acknowledge", centre.alert(FORCED).id, text="on my way")
    box.deed("comment", box.alert(FORCED).id, by="wang", text="here already")
    centre.exchange(60)
    assert state(box) == ("open", None)
    assert (centre.errands, box.errands) == ([("box", "waiting", "")], [("", "waiting", "")])
    for machine in (box, centre):
        if machine.name == killed:
            machine.restart(clean=False)
    centre.back()
    for _ in range(5):
        centre.exchange(60)
    assert state(box) == ("acknowledged", "li@centre")
    assert box.audit == [("wang", "comment"), ("li@centre", "acknowledge")]
    assert centre.audit == [("li", "acknowledge"), ("wang@box", "comment")]
    assert (centre.errands, box.errands) == ([("box", "done", "")], [("", "done", "")])


@pytest.mark.parametrize("killed", [False, True])
def test_an_answer_that_got_lost_is_given_again_and_nothing_is_done_twice(
    centre: Machine, box: Machine, killed: bool
) -> None:
    forced(centre, box)
    centre.deed("comment", centre.alert(FORCED).id, text="who is there?")
    centre.commit()
    for topic, payload in centre.outgoing:
        box.orders.take(topic.encode(), payload, box.now, retained=False)
    box.commit()
    list(box.orders.words(box.now))  # the answer gets lost
    if killed:
        box.restart(clean=False)
    for _ in range(4):
        centre.exchange(10)
    assert box.audit == [("li@centre", "comment")]
    assert centre.errands == [("box", "done", "")]


def test_deeds_are_done_in_the_order_in_which_they_were_said(centre: Machine, box: Machine) -> None:
    forced(centre, box)
    centre.cut()
    centre.deed("assign", centre.alert(FORCED).id, text="mend", assignee="chen")
    for step in ("accept", "done", "verify"):
        centre.deed(step, centre.work[0].id)
    centre.back()
    for _ in range(6):
        centre.exchange()
    assert [what for _, what in box.audit] == ["assign", "accept", "done", "verify"]
    assert work(box) == [("closed", "chen")]


def test_what_the_box_does_not_know_is_refused_and_told(centre: Machine, box: Machine) -> None:
    forced(centre)
    centre.deed("acknowledge", centre.alert(FORCED).id)
    centre.exchange()
    assert centre.errands == [("box", "refused", "there is no such alert here")]
    assert centre.audit == [("li", "acknowledge"), ("li", "staff_refused")]


def test_an_alert_of_another_station_is_none_of_the_box(centre: Machine, box: Machine) -> None:
    forced(centre, box)
    ours: Any = box.alerting.desk.deeds.twins
    assert ours.alert("elsewhere", box.alert(FORCED).id, None) is None


def test_that_the_line_is_down_is_an_alert_of_the_centre_alone(centre: Machine, box: Machine) -> None:
    centre.cut()
    centre.exchange()
    centre.exchange()
    centre.deed("acknowledge", centre.alert("box_offline").id)
    assert centre.errands == []


def test_through_a_town_it_reaches_the_station_and_the_city(tmp_path: Path, box: Machine) -> None:
    town = Machine("town", tmp_path, box)
    city = Machine("city", tmp_path, town)
    forced(city, town, box)
    city.deed("acknowledge", city.alert(FORCED).id)
    for _ in range(3):
        city.exchange()
    assert [state(side) for side in (town, box)] == [("acknowledged", "li@centre")] * 2
    box.deed("comment", box.alert(FORCED).id, by="wang", text="it is shut again")
    for _ in range(3):
        city.exchange()
    assert city.audit == [("li", "acknowledge"), ("wang@box@town", "comment")]
    assert box.audit == [("li@centre", "acknowledge"), ("wang", "comment")]
    for machine in (town, city):
        machine.close()


def test_a_deed_that_finds_no_place_to_wait_is_done_here_and_the_audit_trail_says_so(
    centre: Machine, box: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.commands.errands.BOX_MOST", 1)
    forced(centre, box)
    centre.cut()
    centre.deed("comment", centre.alert(FORCED).id, text="who is there?")
    centre.deed("acknowledge", centre.alert(FORCED).id)
    centre.commit()
    assert state(centre) == ("acknowledged", "li")
    assert sorted(centre.audit) == [("li", "acknowledge"), ("li", "comment"), ("li", "staff_refused")]
    centre.restart(clean=False)
    assert state(centre) == ("acknowledged", "li")
    centre.back()
    for _ in range(3):
        centre.exchange(10)
    assert box.audit == [("li@centre", "comment")]
