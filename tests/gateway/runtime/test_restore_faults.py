"""A fault of ours while the journal is taken up costs the message that it is about, at every start the same."""

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.pipeline import Pipeline
from gateway.model import Batch, InvariantError
from gateway.runtime.memory import Memory
from gateway.runtime.parts import restored
from gateway.store.sqlite import SqliteStore
from tests.gateway.faults import Fault, calls
from tests.gateway.world import NOON, SECOND, Town

SEATS = [{"id": f"seat-{n}", "kind": "seat", "ttl": 180} for n in range(3)]
ROOMS = (
    "gateway/core/",
    "gateway/kinds/",
    "gateway/evidence/",
    "gateway/live/state",
    "gateway/wire.py",
    "gateway/model.py",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "data", NOON, ballast_mib=0)) as opened:
        yield opened


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [NOON]
    monkeypatch.setattr("gateway.runtime.parts.now_ms", lambda: now[0])
    return now


def keep(store: SqliteStore, pipeline: Pipeline, now: int) -> None:
    outcome = pipeline.take()
    store.commit(outcome.batch, outcome.changes, outcome.rejected, now)


def spoken(store: SqliteStore, clock: list[int]) -> Town:
    """Ten messages of each seat, a commit each."""
    town = Town(*SEATS)
    for seq in range(1, 11):
        for seat in range(3):
            town.hear(f"seat-{seat}", {"boot": "b", "seq": seq, "occupied": (seq + seat) % 2 == 0})
            store.commit(town.outcome.batch, town.outcome.changes, town.outcome.rejected, town.now)
        town.now += SECOND
    clock[0] = town.now
    return town


def start(town: Town, store: SqliteStore) -> Pipeline:
    """From the journal alone."""
    store.drop_parts(0)
    return restored(town.settings, town.settings.stations, store, town.now)[0]


def state(pipeline: Pipeline) -> dict[str, Any]:
    return {
        name: (
            device.seen.dump(),
            [(facts.axes, facts.fresh.observed_at, facts.fresh.valid_until) for facts in device.facts],
        )
        for (_, name), device in pipeline.live.devices.items()
    }


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Over messages that hold one of these, the core breaks."""
    from gateway.core.usual import Usual

    held, take = list[bytes](), Usual.take

    def breaks(self: Usual, frames: Any, left: Any, now: int) -> None:
        if any(poison in payload for _, payload, _ in frames for poison in held):
            raise KeyError("a fault of ours")
        take(self, frames, left, now)

    monkeypatch.setattr(Usual, "take", breaks)
    return held


def test_one_stored_message_that_we_fail_over_costs_itself_at_a_start(
    store: SqliteStore, clock: list[int], broken: list[bytes]
) -> None:
    town = spoken(store, clock)
    whole = state(start(town, store))
    broken.append(b'"seq": 4, "occupied": false')  # of seat-1 alone
    pipeline = start(town, store)
    assert pipeline.live.mishaps.take() == [("yanshan", "KeyError")]
    assert pipeline.quarantined == {"internal_error": 1}
    (rejected,) = pipeline.outcome.rejected
    assert (rejected.topic, rejected.reason) == (b"yz/yanshan/seat-1/state", "internal_error")
    assert state(pipeline) == whole  # its number counts as seen, and others told its value since
    keep(store, pipeline, town.now)
    assert list(store.rejected()) == [rejected]


def test_what_a_start_has_set_aside_the_next_does_not_set_aside_once_more(
    store: SqliteStore, clock: list[int], broken: list[bytes]
) -> None:
    town = spoken(store, clock)
    broken.append(b'"seq": 4, "occupied": false')
    for _ in range(3):
        pipeline = start(town, store)
        keep(store, pipeline, town.now)
    assert len(list(store.rejected())) == 1
    assert not pipeline.quarantined


def test_after_a_start_with_a_fault_messages_are_handled_as_fast_as_ever(
    store: SqliteStore, clock: list[int], broken: list[bytes]
) -> None:
    town = spoken(store, clock)
    broken.append(b'"seq": 4, "occupied": false')
    pipeline = start(town, store)

    def judged(seq: int) -> int:
        said = b'{"boot": "b", "seq": %d, "occupied": true}' % seq
        frames = [(b"yz/yanshan/seat-1/state", said, 0)]
        return calls(("gateway/evidence/facts.py",), lambda: pipeline.handle_all(frames, town.now))

    assert judged(11) > 0
    assert judged(12) == 0  # as it says what is known


def test_a_stored_topic_that_is_none_costs_itself_at_a_start(store: SqliteStore, clock: list[int]) -> None:
    town = spoken(store, clock)
    whole = state(start(town, store))
    odd = Batch()
    odd.append(b"yz/odd", b"{}", NOON, 0)
    store.commit(odd, [], [], NOON)
    pipeline = start(town, store)
    assert state(pipeline) == whole
    assert [(message.topic, message.reason) for message in pipeline.outcome.rejected] == [(b"yz/odd", "internal_error")]


def test_a_fault_at_any_call_of_a_start_changes_nothing_of_what_it_takes_up(
    store: SqliteStore, clock: list[int]
) -> None:
    town = spoken(store, clock)
    whole = state(start(town, store))
    many, chance, raised = calls(ROOMS, lambda: start(town, store)), random.Random(7), set()
    for number in chance.sample(range(1, many + 1), 60):
        with Fault(ROOMS, number).inside() as fault:
            pipeline = start(town, store)
        raised.add(fault.raised)
        assert state(pipeline) == whole, fault.raised
        assert not pipeline.outcome.rejected, fault.raised
    assert len(raised) > 20, raised


def test_a_kept_part_that_we_fail_over_is_made_up_for_by_the_journal(
    store: SqliteStore, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = spoken(store, clock)
    whole, memory = state(start(town, store)), Memory(town.live)
    store.checkpoint(0, store.last_id, memory.dump(0, clock[0]))
    monkeypatch.setattr("gateway.runtime.kept_part.AXES", ())
    assert state(restored(town.settings, town.settings.stations, store, town.now)[0]) == whole


def test_a_broken_promise_of_ours_ends_a_start(
    store: SqliteStore, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = spoken(store, clock)

    def breaks(*_: Any) -> None:
        raise InvariantError("a promise of ours does not hold")

    monkeypatch.setattr("gateway.core.usual.Usual.take", breaks)
    with pytest.raises(InvariantError):
        start(town, store)
