"""From what is published nobody can tell one person among fewer than five, nor a step through a door."""

from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.gateway.live.house import MINUTE, House

RESOURCES: list[dict[str, Any]] = [
    {"id": "quiet", "kind": "room", "capacity": 20, "privacy": "coarse"},
    {"id": "club", "kind": "room", "capacity": 20},
    {"id": "door", "kind": "door"},
    {"id": "seat", "kind": "seat"},
]
few = st.integers(0, 4)
minutes = st.lists(few, min_size=14, max_size=14)
steps = st.lists(st.tuples(st.integers(0, 13), st.integers(1, 59), st.booleans()), max_size=6)


def public(counts: list[int], passages: list[tuple[int, int, bool]]) -> list[Any]:
    """What anybody sees, every 20 s, of rooms with so many people each minute and a door with these steps."""
    house, seen = House(RESOURCES), []
    for minute, people in enumerate(counts):
        for room in ("quiet", "club"):
            house.say(room, people=people)
        house.say("door", open=False, locked=True)
        house.say("seat", occupied=False)
        house.document()
        for second in range(0, 60, 20):
            for _, at, inwards in sorted(
                passage for passage in passages if passage[0] == minute and second < passage[1] <= second + 20
            ):
                house.wait(max(0, minute * MINUTE + at * 1_000 - (house.now - house.started)))
                somebody_passes(house, inwards)
            house.wait(minute * MINUTE + (second + 20) * 1_000 - (house.now - house.started))
            seen.append(house.document())
    return seen


def somebody_passes(house: House, inwards: bool) -> None:
    """The door says all of it; none of it may even have the document made again, for its `as_of` would tell."""
    house.document()
    house.live.dirty.clear()
    house.tell("door", "card", card="a1", granted=True, direction="in" if inwards else "out")
    house.say("door", open=True, locked=False)
    house.say("door", open=False, locked=True)
    assert house.live.dirty == []


def signs(counts: list[int], passages: list[tuple[int, int, bool]]) -> int:
    """How often a person was noticed: at a door, or by a room that comes into use. Five signs prove that one can come
    in, and the public hears that (docs/availability.md)."""
    into_use = sum(before == 0 < after for before, after in pairwise(counts))
    return into_use + len({(minute, second) for minute, second, _ in passages})


@given(minutes, minutes, steps, steps)
def test_whoever_is_or_passes_there_among_fewer_than_five_changes_nothing(counts, others, passages, other_passages):
    assume(signs(counts, passages) < 5 and signs(others, other_passages) < 5)
    assert public(counts, passages) == public(others, other_passages)


def test_a_crowd_shows_at_the_next_tick_and_only_as_a_band():
    house = House(RESOURCES)
    house.say("quiet", people=2)
    assert house.seen("quiet", "use", "level", "usable") == ("free", "quiet", "yes")
    house.say("quiet", people=14)
    assert house.seen("quiet", "use", "level") == ("free", "quiet")
    house.wait_while(5 * MINUTE, ("quiet", {"people": 14}))
    assert house.seen("quiet", "use", "level") == ("free", "busy")
    assert "14" not in str(house.shown("quiet"))


def test_a_room_too_small_for_a_crowd_gives_nobody_away():
    house = House([{"id": "nursing", "kind": "room", "capacity": 1, "privacy": "coarse"}])
    seen = []
    for people in (0, 1):
        house.say("nursing", people=people)
        house.wait_while(6 * MINUTE, ("nursing", {"people": people}))
        seen.append(house.seen("nursing", "use", "level", "usable"))
    assert seen == [("unknown", "open", "unknown")] * 2
