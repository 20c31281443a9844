"""A door whose leaf and bolt speak by messages of their own: each word has its own time."""

from typing import Any

import pytest

from tests.gateway.live.house import MINUTE, House

DOOR: dict[str, Any] = {"id": "door", "kind": "door", "ttl": 600}


def house(**more: Any) -> House:
    return House([DOOR | more])


def proof(made: House) -> str:
    return made.live.stations["yanshan"].judged.proof


def say_for(made: House, minutes: int, *messages: dict[str, Any]) -> None:
    """These, one after the other, every five minutes."""
    for _ in range(0, minutes, 5):
        for signals in messages:
            made.say("door", **signals)
        made.wait(5 * MINUTE)


@pytest.mark.parametrize(
    "messages",
    [
        [{"locked": True}, {"open": False}],
        [{"open": False}, {"locked": True}],
        [{"open": False, "locked": True}],
        [{"locked": True}],
    ],
)
def test_a_lock_is_not_forgotten_by_what_its_leaf_says(messages: list[dict[str, Any]]) -> None:
    made = house()
    say_for(made, 30, *messages)
    assert proof(made) == "contradicted"


@pytest.mark.parametrize("last", [{"locked": False}, {"open": True}, {"open": False, "locked": False}])
def test_it_is_open_again_once_either_says_so(last: dict[str, Any]) -> None:
    made = house()
    say_for(made, 30, {"locked": True}, {"open": False})
    made.say("door", **last)
    made.wait(5 * MINUTE)
    assert proof(made) == "proved"


def test_an_opened_leaf_leaves_the_bolt_as_it_was_told() -> None:
    made = house()
    made.say("door", locked=True)
    made.say("door", open=True)
    assert made.live.devices["yanshan", "door"].facts[0].known.status == "open"
    made.say("door", open=False)
    assert made.live.devices["yanshan", "door"].facts[0].known.status == "locked"


def test_a_bolt_that_says_nothing_more_is_no_longer_believed() -> None:
    """Its leaf goes on: nobody may be accused by a bolt whose sensor died, and that it ages lets nobody in."""
    made = house()
    say_for(made, 20, {"locked": True}, {"open": False})
    assert proof(made) == "contradicted"
    say_for(made, 15, {"open": False})
    assert proof(made) == "unproved"
    facts = made.live.devices["yanshan", "door"].facts[0]
    assert (facts.known.status, facts.known.entered_at) == ("closed", None)


def test_who_tells_only_changes_is_believed_until_the_next_one() -> None:
    made = house(reporting="on_change")
    made.say("door", locked=True)
    say_for(made, 90, {"open": False})
    assert proof(made) == "contradicted"


def test_two_words_of_one_moment_in_either_order_are_no_door_that_locks_itself() -> None:
    made = house()
    for _ in range(6):
        for signals in ({"locked": True}, {"open": True}, {"locked": False}, {"open": False}):
            made.say("door", **signals)
            made.wait(10 if "open" in signals else 4 * MINUTE)
    assert not made.live.devices["yanshan", "door"].facts[0].known.locks_itself
    made.say("door", open=True, locked=True)  # in one message: a strike, or a sensor that is stuck
    assert made.live.devices["yanshan", "door"].facts[0].known.locks_itself
