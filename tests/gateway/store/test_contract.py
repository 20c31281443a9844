"""What every store promises (`gateway/store/base`), whatever it is made of. A new one joins STORES."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.model import Batch, Interval, Millis
from gateway.store.base import Reader, Store
from gateway.store.jobs import Keep, KeepAudit, MoveCopy
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.in_memory import MemoryReader, MemoryStore
from tests.gateway.store.world import DAY, FREE, HOUR, MIDNIGHT, NOON, STALE, TAKEN, batch, change, messages, refused

STORES: dict[str, tuple[Callable[[Path, Millis], Store], Callable[[Path], Reader]]] = {
    "sqlite": (lambda folder, now: SqliteStore(folder, now, ballast_mib=0), SqliteReader),
    "memory": (lambda folder, _now: MemoryStore(folder), MemoryReader),
}


@pytest.fixture(params=STORES)
def kinds(request):
    return STORES[request.param]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def opened(kinds, folder):
    """Open the store; `opened()` again closes it and opens it anew, as a restart does."""
    now_open = []

    def open_it(now=NOON):
        while now_open:
            now_open.pop().close()
        store = kinds[0](folder, now)
        now_open.append(store)
        return store

    yield open_it
    while now_open:
        now_open.pop().close()


@pytest.fixture
def reader(opened, kinds, folder):
    opened()
    made = kinds[1](folder)
    yield made
    made.close()


def test_what_was_committed_is_read_back(opened, kinds, folder):
    store = opened()
    sent = batch(1, 50, NOON, 10)
    store.commit(sent, [change(NOON, TAKEN)], [refused(NOON, b"\xff\x00")], NOON)
    reader = kinds[1](folder)
    assert [(reading.seq, reading.payload) for reading in reader.readings()] == list(
        zip(range(1, 51), sent.payloads, strict=True)
    )
    first = next(iter(reader.readings()))
    assert (first.station, first.device, first.topic, first.boot, first.seq, first.ts, first.received_at) == (
        "yanshan", "seat-01", "state", "b1", 1, NOON - 20, NOON,
    )  # fmt: skip
    assert list(reader.quarantine()) == [refused(NOON, b"\xff\x00")]
    assert reader.history("yanshan", "seat-01", NOON - 5, NOON + 9) == [Interval(NOON, NOON + 9, TAKEN)]
    reader.close()


def test_ids_rise_also_over_a_restart(opened):
    store = opened()
    first = [store.commit(batch(n, 1, NOON), [], [], NOON) for n in range(3)]
    store = opened()
    second = [store.commit(batch(n, 1, NOON), [], [], NOON + DAY) for n in range(3)]
    assert first + second == sorted({*first, *second})
    assert min(first) > 0


def test_a_commit_without_messages_takes_no_id(opened):
    store = opened()
    number = store.commit(batch(1, 1, NOON), [], [], NOON)
    assert store.commit(Batch(), [change(NOON, TAKEN)], [refused(NOON)], NOON) == number


def test_batches_after_a_number_are_those_behind_it(opened):
    store = opened()
    numbers = [store.commit(batch(n * 10, 10, NOON + n), [], [], NOON + n) for n in range(5)]
    assert [number for number, _ in store.batches(numbers[2])] == numbers[3:]
    assert len(messages(store.batches(0))) == 50


def test_checkpoints_replace_each_other_and_can_be_dropped(opened):
    store = opened()
    for part, upto, blob in [(0, 1, b"a"), (1, 1, b"b"), (0, 2, b"c")]:
        store.checkpoint(part, upto, blob)
    assert list(opened().checkpoints()) == [(0, 2, b"c"), (1, 1, b"b")]
    store = opened()
    store.drop_parts(1)
    assert list(opened().checkpoints()) == [(0, 2, b"c")]


def test_a_new_id_is_never_below_what_a_checkpoint_covers(opened):
    """Else a replay after the checkpoint would leave the new messages out."""
    store = opened()
    store.checkpoint(0, 900, b"state")
    assert opened().commit(batch(1, 1, NOON), [], [], NOON) > 900


def test_small_texts_are_kept_under_their_names(opened):
    store = opened()
    assert store.kept("feed") is None
    store.write([Keep("feed", b"\x00old")])
    store.write([Keep("feed", b"\x00new")])
    assert opened().kept("feed") == b"\x00new"


def test_how_far_each_copy_has_come_is_kept_with_the_number_of_lines_it_refused(opened):
    store = opened()
    number = store.commit(batch(1, 3, NOON), [], [], NOON)
    assert store.copied("a") == (0, 0)
    store.write([MoveCopy("a", number, [(NOON, "line", "422")]), MoveCopy("b", number)])
    store.write([MoveCopy("a", number, [(NOON, "other", "400")])])
    assert (opened().copied("a"), opened().copied("b")) == ((number, 2), (number, 0))


def test_the_newest_id_is_known_after_a_restart(opened):
    store = opened()
    assert store.last_id == 0
    number = store.commit(batch(1, 3, NOON), [], [], NOON)
    assert (store.last_id, opened().last_id) == (number, number)


def test_jobs_of_every_kind_are_taken_together(opened):
    store = opened()
    store.write([Keep("feed", b"new"), KeepAudit(NOON, "li", "close", "a1"), MoveCopy("a", 0)])
    assert opened().kept("feed") == b"new"


def test_readings_of_a_window_and_a_station(opened, kinds, folder):
    store = opened()
    store.commit(batch(1, 10, NOON, 1_000), [], [], NOON)
    reader = kinds[1](folder)
    assert [reading.seq for reading in reader.readings(NOON + 2_000, NOON + 5_000)] == [3, 4, 5]
    assert list(reader.readings(station="elsewhere")) == []
    reader.close()


def test_upkeep_is_invisible_to_readers(opened, kinds, folder):
    """Sealing, before and after: the same messages, byte for byte, in the same order."""
    store = opened(MIDNIGHT)
    for n in range(120):
        store.commit(batch(n * 20, 20, MIDNIGHT + n * 120_000, 50), [], [], MIDNIGHT + n * 120_000)
    store.checkpoint(0, 120, b"")
    reader = kinds[1](folder)
    before = list(reader.readings())
    halfway = reader.readings()
    begun = [next(halfway) for _ in range(700)]
    while store.tidy(MIDNIGHT + 5 * HOUR):
        pass
    assert [reading.payload for reading in begun + list(halfway)] == [reading.payload for reading in before]
    assert [(reading.payload, reading.received_at) for reading in reader.readings()] == [
        (reading.payload, reading.received_at) for reading in before
    ]
    assert messages(store.batches(0)) == messages(opened().batches(0))
    reader.close()


def test_history_goes_on_over_midnight_without_a_seam(opened, kinds, folder):
    store = opened(NOON)
    store.commit(Batch(), [change(NOON, TAKEN)], [], NOON)
    store.commit(Batch(), [change(MIDNIGHT + DAY + HOUR, FREE)], [], MIDNIGHT + DAY + HOUR)
    reader = kinds[1](folder)
    assert reader.history("yanshan", "seat-01", NOON - HOUR, MIDNIGHT + DAY + 2 * HOUR) == [
        Interval(NOON, MIDNIGHT + DAY + HOUR, TAKEN),
        Interval(MIDNIGHT + DAY + HOUR, MIDNIGHT + DAY + 2 * HOUR, FREE),
    ]
    assert reader.history("yanshan", "seat-01", MIDNIGHT + DAY, MIDNIGHT + DAY + 60_000) == [
        Interval(MIDNIGHT + DAY, MIDNIGHT + DAY + 60_000, TAKEN)
    ]
    assert reader.history("yanshan", "seat-99", NOON, NOON + DAY) == []
    reader.close()


def test_what_ran_out_while_we_were_away_ran_out_then(opened, kinds, folder):
    """Started again three days later: the seat was stale since that evening, not free until today."""
    store = opened(NOON)
    store.commit(Batch(), [change(NOON, FREE)], [], NOON)
    later = NOON + 3 * DAY
    store = opened(later)
    store.commit(Batch(), [change(NOON + 180_000, STALE)], [], later)
    reader = kinds[1](folder)
    whole = [Interval(NOON, NOON + 180_000, FREE), Interval(NOON + 180_000, later, STALE)]
    assert reader.history("yanshan", "seat-01", NOON - DAY, later) == whole
    assert reader.history("yanshan", "seat-01", NOON + DAY, later) == [Interval(NOON + DAY, later, STALE)]
    assert reader.history("yanshan", "seat-01", later - HOUR, later) == [Interval(later - HOUR, later, STALE)]
    reader.close()


def test_a_clock_set_back_loses_nothing(opened, kinds, folder):
    """To yesterday and to 1970, in the middle of a batch and between batches, also once it is sealed."""
    store = opened(NOON)
    store.commit(batch(1, 10, NOON), [], [], NOON)
    store.commit(batch(11, 10, NOON + 2 * HOUR), [], [], NOON + 2 * HOUR)
    mixed = batch(21, 5, NOON + 2 * HOUR)
    mixed.append(b"yz/yanshan/seat-00/state", b"{}", 1_000, 0)
    store.commit(mixed, [], [], 1_000)
    store.commit(batch(31, 10, NOON + 60_000), [], [], NOON - DAY)
    before = messages(store.batches(0))
    assert len(before) == 36
    store.checkpoint(0, 4, b"")
    for now in (NOON + HOUR + 1_200_000, NOON + 4 * HOUR, NOON + 30 * HOUR):
        while store.tidy(now):
            pass
        assert messages(store.batches(0)) == before


def test_readers_may_look_while_the_writer_goes_on(opened, kinds, folder):
    store = opened()
    reader = kinds[1](folder)
    assert list(reader.readings()) == []
    store.commit(batch(1, 3, NOON), [change(NOON, TAKEN)], [], NOON)
    assert len(list(reader.readings())) == 3
    assert len(reader.history("yanshan", "seat-01", NOON, NOON + 1)) == 1
    reader.close()


def test_history_stops_after_so_many_changes_and_says_until_where_it_read(opened, reader):
    store = opened()
    flips = [change(NOON + n, FREE if n % 2 else TAKEN) for n in range(3_000)]
    store.commit(batch(1, 1, NOON), flips, [], NOON + 3_000)
    whole = reader.history("yanshan", "seat-01", NOON, NOON + HOUR)
    part = reader.history("yanshan", "seat-01", NOON, NOON + HOUR, most=2_000)
    assert part == whole[: len(part)]
    assert len(part) >= 1_999
    later = reader.history("yanshan", "seat-01", part[-1].end, NOON + HOUR, most=2_000)
    assert part + later == whole


def test_history_of_many_quiet_days_goes_on_although_each_repeats_the_state(opened, reader):
    store = opened()
    for day in range(5):
        store.commit(batch(1, 1, NOON), [] if day else [change(NOON, TAKEN)], [], NOON + day * DAY)
    assert reader.history("yanshan", "seat-01", NOON, NOON + 5 * DAY, most=1) == [Interval(NOON, NOON + 5 * DAY, TAKEN)]
