"""Which shard tells that another is gone: the lowest that is there, after a minute, once, with its end."""

import pytest

from gateway.base.mishaps import Mishaps
from gateway.base.sharing import shard_of
from gateway.mqtt import Broker
from gateway.runtime import other_shards
from gateway.runtime.other_shards import PATIENCE_S, Absence, OtherShards


def heard(own: int, there: dict[int, bool], shards: int = 3) -> Absence:
    absence = Absence(own, shards)
    for shard, state in there.items():
        absence.hear(shard, there=state)
    absence.look(0, subscribed=True)
    return absence


def test_one_that_is_gone_for_a_minute_is_told_by_the_lowest_that_is_there() -> None:
    lowest = heard(1, {2: True, 3: False})
    assert lowest.look(PATIENCE_S - 0.1, subscribed=True) == {2: False, 3: None}
    assert lowest.look(PATIENCE_S, subscribed=True) == {2: False, 3: True}
    assert heard(2, {1: True, 3: False}).look(PATIENCE_S, subscribed=True) == {1: False, 3: False}


def test_where_the_lowest_is_gone_the_next_tells() -> None:
    assert heard(2, {1: False, 3: True}).look(PATIENCE_S, subscribed=True) == {1: True, 3: False}
    assert heard(3, {1: False, 2: False}).look(PATIENCE_S, subscribed=True) == {1: True, 2: True}
    assert heard(3, {1: False, 2: True}).look(PATIENCE_S, subscribed=True) == {1: False, 2: False}


def test_one_that_is_back_is_told_as_back_at_once() -> None:
    absence = heard(1, {2: True, 3: False})
    absence.look(PATIENCE_S, subscribed=True)
    absence.hear(3, there=True)
    assert absence.look(PATIENCE_S + 1, subscribed=True) == {2: False, 3: False}


def test_a_restart_of_the_lowest_moves_no_alert() -> None:
    """While it is away for some seconds, it is not known who has to tell."""
    absence = heard(2, {1: True, 3: False})
    absence.look(PATIENCE_S, subscribed=True)
    absence.hear(1, there=False)
    assert absence.look(PATIENCE_S + 1, subscribed=True) == {1: None, 3: None}
    absence.hear(1, there=True)
    assert absence.look(PATIENCE_S + 9, subscribed=True) == {1: False, 3: False}


def test_while_we_hear_nothing_nothing_is_known_and_no_time_counts() -> None:
    absence = heard(1, {2: True, 3: False})
    assert absence.look(PATIENCE_S, subscribed=False) == {2: None, 3: None}
    assert absence.look(PATIENCE_S + 1, subscribed=True) == {2: False, 3: None}
    assert absence.look(2 * PATIENCE_S + 1, subscribed=True) == {2: False, 3: True}


def test_one_that_was_never_there_is_gone() -> None:
    assert heard(1, {2: True}).look(PATIENCE_S, subscribed=True) == {2: False, 3: True}


def test_what_nobody_should_say_changes_nothing() -> None:
    absence = heard(1, {2: True, 3: True})
    absence.hear(9, there=True)
    absence.hear(1, there=False)
    assert absence.look(PATIENCE_S, subscribed=True) == {2: False, 3: False}


def test_its_stations_are_named_and_looked_for_only_when_something_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(station: str, shards: int) -> int:
        asked.append(station)
        return shard_of(station, shards)

    stations = [f"station-{number}" for number in range(20)]
    others = OtherShards(Broker("127.0.0.1", 1), "id", "gateway", (1, 2), lambda: stations, Mishaps())
    monkeypatch.setattr(other_shards, "shard_of", counted)
    monkeypatch.setattr(others._session, "connected", True)
    monkeypatch.setattr(others._session, "subscribed", True)
    for now_s in (0.0, PATIENCE_S, PATIENCE_S + 1):
        monkeypatch.setattr(other_shards, "monotonic_s", lambda now_s=now_s: now_s)
        others._look()
    theirs = sorted(station for station in stations if shard_of(station, 2) == 2)
    named = f"{', '.join(theirs[:5])} and {len(theirs) - 5} more"
    assert list(others.verdicts) == [("gateway-2of2", True, named)]
    assert len(asked) == 20
    stations.remove(theirs[0])
    others._look()
    assert list(others.verdicts) == [
        ("gateway-2of2", True, f"{', '.join(theirs[1:6])}" + (f" and {len(theirs) - 6} more" if theirs[6:] else ""))
    ]
    others._session.close()


def test_a_fault_of_its_line_ends_it_not(monkeypatch: pytest.MonkeyPatch) -> None:
    others = OtherShards(Broker("127.0.0.1", 1), "id", "gateway", (1, 2), lambda: (), Mishaps())
    polls = 0

    def poll(_wait_s: float) -> None:
        nonlocal polls
        polls += 1
        if polls == 1:
            raise RuntimeError("a fault of ours")
        others._ending.set()

    monkeypatch.setattr(others._session, "poll", poll)
    others.run()
    assert polls == 2
