"""After a restart the gateway knows what it knew, whatever was kept last, and whatever the configuration became."""

import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Batch
from gateway.runtime import memory as module
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.jobs import Keep
from gateway.store.sqlite import SqliteStore
from tests.gateway.world import NOON, SECOND, Town

SEATS = [{"id": f"seat-{n}", "kind": "seat", "ttl": 180} for n in range(3)]


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(SqliteStore(tmp_path / "data", NOON, ballast_mib=0)) as opened:
        yield opened


def say(town, store, seat, seq, occupied=True):
    outcome = town.hear(f"seat-{seat}", {"boot": "b", "seq": seq, "occupied": occupied})
    return store.commit(outcome.batch, outcome.changes, outcome.rejected, town.now)


def again(store, now, *seats):
    """The town as a new process finds it."""
    town = Town(*(seats or SEATS), now=now)
    replayed = restore(town.pipeline, store, now)
    return town, replayed


def remembered(town):
    return {
        name: (
            device.seen.dump(),
            [(facts.axes, facts.fresh.observed_at, facts.fresh.valid_until) for facts in device.facts],
        )
        for name, device in town.live.devices.items()
    }


def test_the_journal_alone_gives_the_state_back(store):
    town = Town(*SEATS)
    for seq in range(1, 6):
        say(town, store, 0, seq, occupied=seq % 2 == 0)
        say(town, store, 1, seq)
    restored, replayed = again(store, town.now)
    assert replayed == 10
    assert remembered(restored) == remembered(town)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 8), st.booleans()), max_size=20), st.data())
def test_a_crash_between_any_two_checkpoints_forgets_nothing(tmp_path_factory, sent, data):
    monkeyed = module.DEVICES_A_PART
    module.DEVICES_A_PART = 1
    try:
        folder = tmp_path_factory.mktemp("data")
        with contextlib.closing(SqliteStore(folder, NOON, ballast_mib=0)) as store:
            town = Town(*SEATS)
            kept = Memory(town.live)
            store.checkpoint_all([(part, kept.dump(part, town.now)) for part in range(3)], 0)
            store.write([Keep("layout", kept.layout)])
            for seat, seq, occupied in sent:
                number = say(town, store, seat, seq, occupied)
                for part in data.draw(st.sets(st.integers(0, 2), max_size=2)):
                    store.checkpoint(part, number, kept.dump(part, town.now))
            restored, _ = again(store, town.now)
            assert remembered(restored) == remembered(town)
    finally:
        module.DEVICES_A_PART = monkeyed


def test_what_ran_out_while_nobody_looked_is_stale_since_then(store):
    town = Town(*SEATS)
    say(town, store, 0, 1)
    restored, _ = again(store, NOON + 3_600_000)
    changes = {change.resource.id: change for change in restored.pipeline.take().changes}
    assert (changes["seat-0"].at, changes["seat-0"].after.evidence) == (NOON + 180 * SECOND, "stale")


def test_deadlines_live_on_over_a_restart(store):
    town = Town(*SEATS)
    number = say(town, store, 0, 1)
    store.checkpoint(0, number, Memory(town.live).dump(0, town.now))
    restored, replayed = again(store, NOON + 100 * SECOND)
    assert replayed == 0
    restored.pipeline.take()
    assert restored.wait(79 * SECOND) == []
    assert [change.at for change in restored.wait(2 * SECOND)] == [NOON + 180 * SECOND]


def test_a_covered_message_in_quarantine_stays_covered(store):
    town = Town(*SEATS)
    say(town, store, 0, 1)
    outcome = town.hear("seat-0", {"boot": "b", "seq": 2, "occupied": "perhaps"})
    store.commit(Batch(), [], outcome.rejected, town.now)
    restored, _ = again(store, town.now)
    assert restored.device("seat-0").seen.upto() == 2


def test_a_device_that_left_the_configuration_harms_nobody(store):
    town = Town(*SEATS)
    for seat in range(3):
        number = say(town, store, seat, 1)
    store.checkpoint(0, number, Memory(town.live).dump(0, town.now))
    say(town, store, 1, 2)
    restored, _ = again(store, town.now, SEATS[2], SEATS[0])
    assert {name for _, name in restored.live.devices} == {"seat-0", "seat-2"}
    assert restored.device("seat-2").seen.upto() == 1


def test_a_damaged_or_missing_part_is_made_up_for_by_the_journal(store, caplog, monkeypatch):
    monkeypatch.setattr(module, "DEVICES_A_PART", 1)
    town = Town(*SEATS)
    for seat in range(3):
        number = say(town, store, seat, 1)
    kept = Memory(town.live)
    store.write([Keep("layout", kept.layout)])
    store.checkpoint(0, number, kept.dump(0, town.now))
    store.checkpoint(1, number, b"\xff\xff")
    restored, replayed = again(store, town.now)
    assert replayed == 2
    assert remembered(restored) == remembered(town)
    assert "damaged" in caplog.text


def test_another_order_of_devices_is_another_layout():
    first, same, other = (Memory(Town(*seats).live).layout for seats in (SEATS, SEATS, reversed(SEATS)))
    assert first == same != other


BEFORE_VERDICTS = (
    "use", "heard", "fault", "status_fault", "degraded", "suspect", "offline_at", "observed_at", "valid_until", "since",
    "away_until", "status", "detail", "battery_pct", "power_w", "energy_wh", "people", "ins", "outs", "passages",
    "free", "total", "expires", "was", "moved_at", "flips", "mark", "doubt", "doubt_since", "seen_at",
    "watched_since", "unreadable", "off_at",
)  # fmt: skip


def test_state_kept_before_there_were_verdicts_is_taken_up_and_judged_anew(store):
    """Values are kept by position: that list may only grow at its end."""
    pile = {"id": "pile", "kind": "charger", "type": "ev", "ttl": 600}
    town = Town(pile)
    kept = Memory(town.live)
    for seq in range(1, 4):
        outcome = town.hear("pile", {"boot": "b", "seq": seq, "status": "Available", "power_w": 7000, "energy_wh": seq})
        number = store.commit(outcome.batch, outcome.changes, outcome.rejected, town.now)
        town.now += 60 * SECOND
    rows = msgspec.msgpack.decode(kept.dump(0, town.now))["devices"]  # as a list of its own, it was all
    for row in rows:
        row[5] = [[resource, code, values[: len(BEFORE_VERDICTS)]] for resource, code, values in row[5]]
    old = dict(zip(BEFORE_VERDICTS, rows[0][5][0][2], strict=True))
    assert (old["use"], old["power_w"], old["energy_wh"], old["doubt"]) == ("free", 7000, 3, "power_while_free")
    store.checkpoint(0, number, msgspec.msgpack.encode(rows))
    restored, _ = again(store, town.now, pile)
    [facts] = restored.live.devices["yanshan", "pile"].facts
    assert (facts.known.use, facts.known.power_w, facts.known.energy_wh) == ("free", 7000, 3)
    assert (facts.doubt.verdict, facts.axes.evidence) == ("power_while_free", "suspect")
