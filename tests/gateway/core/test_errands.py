"""What staff of a centre say is done at the box once: at once, or when the line is back, or told as undone."""

import json
from pathlib import Path

import pytest

from gateway.commands import sign
from gateway.commands.answers import ErrandAnswer, reply
from gateway.commands.errands import KEEP_MS
from gateway.model import Message
from gateway.uplink.orders import CentreOrders
from tests.gateway.core.hops import OVERRIDE, Hop, closing
from tests.gateway.world import MINUTE, NOON, SECOND

FIRST, SECOND_ONE = "a" * 16, "b" * 16
DONE = ("li", "override", "yanshan", "closed until 2026-05-29T13:00:00.000Z")


@pytest.fixture
def box(tmp_path: Path) -> Hop:
    return Hop("box", tmp_path)


@pytest.fixture
def centre(tmp_path: Path, box: Hop) -> Hop:
    return Hop("centre", tmp_path, box)


def test_with_a_line_it_is_done_at_once_and_audited_at_both(centre: Hop, box: Hop) -> None:
    centre.say(OVERRIDE, closing(centre, FIRST))
    assert (box.access, centre.access) == ("closed", "closed")
    assert box.audit == centre.audit == [DONE]
    assert centre.errands == {FIRST: "done"}


def test_without_a_line_it_waits_holds_nowhere_and_is_done_once_when_the_line_is_back(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.turn(5 * MINUTE)
    assert (box.access, centre.access) == ("open", "open")
    assert centre.errands == {FIRST: "waiting"}
    centre.back()
    centre.turn(SECOND)
    assert (box.access, centre.access) == ("closed", "closed")
    for _ in range(20):
        centre.turn(MINUTE)
    assert box.audit == centre.audit == [DONE]


def test_it_waits_over_a_kill_of_either(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.start()
    box.start()
    centre.back()
    centre.turn(SECOND)
    assert (box.access, centre.access) == ("closed", "closed")


def test_an_answer_that_is_lost_is_given_again_and_nothing_is_done_twice(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.back()
    box.above = None  # the answer gets lost
    centre.turn(SECOND)
    assert (box.access, centre.access) == ("closed", "open")
    box.start()  # killed after it was done
    box.above = centre
    centre.turn(30 * MINUTE)
    assert box.audit == [DONE]
    assert (centre.errands, centre.access) == ({FIRST: "done"}, "closed")


def test_what_the_box_refuses_holds_nowhere_and_its_reason_is_told(centre: Hop, box: Hop) -> None:
    box.town.live.stations.clear()
    centre.say(OVERRIDE, closing(centre, FIRST))
    assert centre.access == "open"
    assert centre.audit == [("li", "override_refused", "yanshan", "box: no such place")]
    assert centre.errands == {FIRST: "refused"}


def test_what_waited_for_longer_than_it_would_hold_is_told_as_undone(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST, until=10 * MINUTE))
    centre.turn(11 * MINUTE)
    centre.back()
    centre.turn(MINUTE)
    assert (centre.errands, box.audit) == ({FIRST: "expired"}, [])
    assert centre.audit == [("li", "override_expired", "yanshan", "box: no answer in time")]


def test_a_taking_back_waits_for_a_week_and_no_longer(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST, None))
    centre.turn(KEEP_MS - MINUTE)
    assert centre.errands == {FIRST: "waiting"}
    centre.turn(MINUTE)
    assert centre.errands == {FIRST: "expired"}


def test_they_are_done_in_the_order_in_which_they_were_said(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.say(OVERRIDE, closing(centre, SECOND_ONE, "open"))
    centre.back()
    centre.turn(SECOND)
    assert (box.access, centre.access) == ("open", "open")


def test_a_copy_of_what_was_sent_is_refused_and_changes_nothing(centre: Hop, box: Hop) -> None:
    text = closing(centre, FIRST)
    centre.say(OVERRIDE, text)
    centre.say(OVERRIDE, closing(centre, SECOND_ONE, "open"))
    box.take(OVERRIDE, sign(centre.key, OVERRIDE, text))
    assert box.access == "open"


def test_forged_and_expired_ones_change_nothing(centre: Hop, box: Hop) -> None:
    text = closing(centre, FIRST)
    box.take(OVERRIDE, sign(b"x" * 40, OVERRIDE, text))
    box.take("yz-cmd/yanshan/check", sign(centre.key, OVERRIDE, text))
    box.town.now += MINUTE
    box.take(OVERRIDE, sign(centre.key, OVERRIDE, text))
    assert (box.access, box.audit, box.errands) == ("open", [], {})


@pytest.mark.parametrize("key", [b"x" * 40, b""])
def test_a_forged_answer_settles_nothing(centre: Hop, key: bytes) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.hear(*reply(key or b"-", ErrandAnswer("yanshan", FIRST, "done"), "box", centre.town.now))
    assert centre.errands == {FIRST: "waiting"}


def test_the_answer_of_another_station_settles_nothing(centre: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.hear(*reply(centre.key, ErrandAnswer("elsewhere", FIRST, "done"), "box", centre.town.now))
    assert centre.errands == {FIRST: "waiting"}


def test_what_comes_back_of_our_own_sendings_is_no_refused_command(centre: Hop, box: Hop) -> None:
    centre.cut()
    centre.say(OVERRIDE, closing(centre, FIRST))
    centre.back()
    centre.town.pipeline.tick(centre.town.now)
    (sent,) = centre.town.pipeline.take().said
    centre.hear(*sent)
    assert centre.town.pipeline.quarantined["command"] == 0


CONFIG = "yz-cmd/yanshan/config"


def change_set(hop: Hop, nonce: str = FIRST) -> bytes:
    return json.dumps({"nonce": nonce, "expires": hop.town.now + 30_000, "by": "li", "changes": []}).encode()


def configured(hop: Hop) -> list[str]:
    """The change sets that are carried out there, each as it comes."""
    seen: list[str] = []
    hop.town.pipeline.commands.on_config = lambda order: seen.append(order.nonce)
    return seen


def test_a_change_set_goes_to_the_box_and_its_answer_comes_back(centre: Hop, box: Hop) -> None:
    seen = configured(box)
    centre.say(CONFIG, change_set(centre))
    assert seen == [FIRST]
    box.town.pipeline.commands.errands.came_of_it(ErrandAnswer("yanshan", FIRST, "done", '{"version":18}'), "")
    centre.turn(SECOND)
    assert centre.errands == {FIRST: "done"}
    assert centre.audit == [("li", "configuration_saved", "yanshan", "box: version 18")]


def test_a_change_set_of_nobody_above_is_refused(box: Hop) -> None:
    seen = configured(box)
    box.say(CONFIG, change_set(box))
    assert seen == []
    assert box.town.pipeline.quarantined["command"] == 1


def test_a_box_that_says_that_it_obeys_nobody_is_not_waited_for(centre: Hop, box: Hop) -> None:
    centre.hear("yz-box/box", json.dumps({"box": "box", "state": "online", "obeys": False}).encode())
    box.up = False
    centre.say(OVERRIDE, closing(centre, FIRST))
    assert (centre.access, centre.errands) == ("closed", {})


CALL = "yz-cmd/yanshan/bridge-1/call"


def test_a_call_to_a_pile_goes_to_the_bridge_signed_anew_and_its_answer_comes_back_signed_anew(
    centre: Hop, box: Hop
) -> None:
    errands = box.town.pipeline.commands.errands
    box.orders = CentreOrders(
        box.orders._key_file, lambda *_: None, "box",
        lambda topic, text: errands.centre_asks_bridge(topic, text, json.loads(text)["nonce"]),
    )  # fmt: skip
    call = json.dumps({"nonce": FIRST, "expires": centre.town.now + 30_000, "by": "li", "do": "reset"}).encode()
    box.take(CALL, sign(centre.key, CALL, call))
    box.take(CALL, sign(centre.key, CALL, call))
    box.take("yz-cmd/yanshan/door/unlock", sign(b"x" * 40, "yz-cmd/yanshan/door/unlock", call))
    box.town.pipeline.tick(box.town.now)
    assert box.town.pipeline.take().said == [(CALL, sign(box.key, CALL, call))], "once, and no forged one"
    answer = json.dumps({"nonce": SECOND_ONE, "expires": centre.town.now + 30_000, "by": "b", "result": {}}).encode()
    topic = f"yz-reply/yanshan/{FIRST}"
    box.hear(topic, sign(b"x" * 40, topic, answer))
    box.town.pipeline.handle(Message(topic.encode(), sign(box.key, topic, answer), NOON), NOON)
    assert box.town.pipeline.take().to_centre == [(topic, answer)], "which the line signs with the centre's key"


class TestThreeLevels:
    """station → town → city, each with a key of its own."""

    @pytest.fixture
    def town(self, tmp_path: Path, box: Hop) -> Hop:
        return Hop("town", tmp_path, box)

    @pytest.fixture
    def city(self, tmp_path: Path, town: Hop) -> Hop:
        return Hop("city", tmp_path, town)

    def test_it_goes_down_all_of_them_and_the_answer_comes_back(self, city: Hop, town: Hop, box: Hop) -> None:
        city.say(OVERRIDE, closing(city, FIRST))
        assert [hop.access for hop in (box, town, city)] == ["closed"] * 3
        assert [hop.audit for hop in (box, town, city)] == [[DONE]] * 3

    def test_it_waits_where_a_line_is_down_and_holds_nowhere_until_then(self, city: Hop, town: Hop, box: Hop) -> None:
        town.cut()
        city.say(OVERRIDE, closing(city, FIRST))
        city.turn(5 * MINUTE)
        assert [hop.access for hop in (box, town, city)] == ["open"] * 3
        assert (city.errands, town.errands) == ({FIRST: "waiting"}, {FIRST: "waiting"})
        town.back()
        city.turn(2 * MINUTE)
        city.turn(2 * MINUTE)
        assert [hop.access for hop in (box, town, city)] == ["closed"] * 3
        assert [hop.audit for hop in (box, town, city)] == [[DONE]] * 3

    def test_the_key_of_the_city_opens_nothing_at_the_station(self, city: Hop, town: Hop, box: Hop) -> None:
        box.take(OVERRIDE, sign(city.key, OVERRIDE, closing(city, FIRST)))
        assert box.access == "open"

    def test_a_change_set_goes_down_to_whose_files_they_are(self, city: Hop, town: Hop, box: Hop) -> None:
        at_town, at_box = configured(town), configured(box)
        city.say(CONFIG, change_set(city))
        assert (at_town, at_box) == ([], [FIRST])
        box.town.pipeline.commands.errands.came_of_it(ErrandAnswer("yanshan", FIRST, "refused", "no"), "")
        city.turn(SECOND)
        assert city.errands == town.errands == {FIRST: "refused"}

    def test_a_refusal_at_the_station_is_told_in_the_city(self, city: Hop, town: Hop, box: Hop) -> None:
        box.town.live.stations.clear()
        city.say(OVERRIDE, closing(city, FIRST))
        assert city.audit == [("li", "override_refused", "yanshan", "town: no such place")]


def test_a_copy_of_a_command_that_names_no_way_it_could_have_come_is_refused_like_the_first(centre: Hop) -> None:
    text = closing(centre, FIRST, told_by="box")  # on a topic of our own staff
    for _ in range(2):
        centre.hear(OVERRIDE, sign(centre.key, OVERRIDE, text))
    assert centre.town.pipeline.quarantined == {"command": 2}
    assert centre.access == "open"
