"""What is left out of what is told is told to those who mend it, and to nobody else."""

import json

from api.left_out import MOST, left_out
from api.live_feed import gateways
from tests.api.conftest import NOON, House

ONE = "/api/v1/stations/yanshan/left-out"


def test_staff_see_what_their_own_station_leaves_out_the_most_frequent_first(house: House) -> None:
    house.left_out.update({
        "yanshan/door-1 battery_pct": 3, "yanshan/seat-01 people": 9, "shaping/seat-01 people": 7, "yanshan2/x y": 1,
        "yanshan/lounge calendar: ends when it begins or before": 2,
    })  # fmt: skip
    token = house.app.context.keyring.create("duty", "viewer", NOON, stations=["yanshan"])
    answer = house.get(ONE, headers={"authorization": f"Bearer {token}"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "station": "yanshan",
        "left_out": [
            {"what": "seat-01 people", "count": 9},
            {"what": "door-1 battery_pct", "count": 3},
            {"what": "lounge calendar: ends when it begins or before", "count": 2},
        ],
    }
    assert house.get(ONE).status_code == 401
    elsewhere = house.get("/api/v1/stations/shaping/left-out", headers={"authorization": f"Bearer {token}"})
    assert elsewhere.status_code == 403


def reported(**body: object) -> list[tuple[bytes, bytes, int]]:
    return [(b"yz-sys/box", json.dumps({"state": "online"} | body).encode(), 1)]


def test_an_api_alone_believes_what_a_gateway_leaves_out_within_reason() -> None:
    assert left_out(reported(left_out={"yanshan/a b": 3})) == {"box": {"yanshan/a b": 3}}
    odd = {"yanshan/\x1b[31m": 1, "x" * 500: 1, "yanshan/none": 0, "yanshan/less": -1, "yanshan/more": 2**60}
    assert left_out(reported(left_out=odd)) == {"box": {}}
    many = {f"yanshan/d{n} x": 1 for n in range(1000)}
    assert len(left_out(reported(left_out=many))["box"]) == MOST


def test_a_list_in_another_shape_costs_itself_and_never_the_gateways_state() -> None:
    for shape in (7, ["a"], {"a": "b"}, {"a": 1.5}, None):
        frames = reported(left_out=shape)
        assert gateways(frames) == {"box": "online"}
        assert left_out(frames) == {"box": {}}


def test_a_gateway_that_is_gone_leaves_nothing_out() -> None:
    assert left_out([(b"yz-sys/box", b'{"state":"offline"}', 1)]) == {"box": {}}
    assert left_out([(b"yz-sys/box", b"", 1)]) == {"box": {}}
    assert left_out([(b"yz-sys/a<b", b'{"left_out":{"a/b":1}}', 1), (b"yz-live/x", b'{"left_out":{"a/b":1}}', 1)]) == {}
