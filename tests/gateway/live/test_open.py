"""When a place is open, until when, and what that does to what is in it."""

from gateway.policy.override import Override, OverrideTarget
from tests.gateway.live.house import HOUR, MINUTE, START, House

UNPROVED = {"proof": "unproved", "proved_at": None}


def rfc(text: str) -> str:
    return f"2026-06-{text}Z"


def test_the_station_tells_its_own_closing_not_that_of_a_part():
    house = House(
        hours="08:00-22:00",
        areas=[
            {"id": "hall", "resources": [{"id": "seat-01", "kind": "seat"}]},
            {"id": "studio", "hours": "08:00-12:00", "resources": [{"id": "seat-02", "kind": "seat", "ttl": 90_000}]},
        ],
    )
    house.say("seat-02", occupied=False)
    assert house.document()["open"] == {"now": "yes", "until": rfc("01T14:00:00"), **UNPROVED}
    assert house.seen("seat-02", "usable", "valid_until") == ("yes", rfc("01T04:00:00"))
    house.wait(2 * HOUR)
    assert house.seen("seat-02", "usable", "because") == ("no", ["closed"])
    assert house.document()["open"]["now"] == "yes"


def test_what_is_set_on_one_seat_ends_with_it_and_leaves_the_station_alone():
    house = House([{"id": "seat-01", "kind": "seat"}])
    word = Override("maintenance", START + 10 * MINUTE)
    assert house.live.set_by_hand(OverrideTarget("yanshan", None, "seat-01"), word, START)
    assert house.document()["open"] == {"now": "yes", "until": None, "proof": "unproved", "proved_at": None}
    assert house.seen("seat-01", "health", "usable") == ("maintenance", "no")
    house.wait(10 * MINUTE)
    assert house.seen("seat-01", "health") == ("ok",)


def test_a_partner_venue_without_hours_that_says_free_is_open():
    house = House([{"id": "seat-01", "kind": "seat"}], hours=None)
    assert house.document()["open"]["now"] == "unknown"
    house.live.set_by_hand(OverrideTarget("yanshan"), Override("free", START + HOUR), START)
    assert house.document()["open"] == {
        "now": "yes", "until": rfc("01T03:00:00"), "proof": "proved", "proved_at": rfc("01T02:00:00"),
        "proved_until": rfc("01T04:00:00"),
    }  # fmt: skip
    assert house.seen("seat-01", "usable", "evidence", "valid_until") == ("yes", "live", rfc("01T03:00:00"))
    house.wait(HOUR)
    assert house.document()["open"]["now"] == "unknown"
    assert house.seen("seat-01", "usable", "because") == ("unknown", ["never", "hours_unknown", "use_unknown"])


def test_closed_by_hand_holds_until_its_own_end():
    house = House([{"id": "seat-01", "kind": "seat"}], hours="08:00-22:00")
    house.live.set_by_hand(OverrideTarget("yanshan"), Override("closed", START + 20 * HOUR), START)
    assert house.document()["open"] == {"now": "no", "until": rfc("01T22:00:00"), **UNPROVED}
    house.wait(20 * HOUR)
    assert house.document()["open"] == {"now": "no", "until": rfc("02T00:00:00"), **UNPROVED}
