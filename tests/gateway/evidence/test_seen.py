"""`(boot, seq)` identifies a message for ever; the watermark never covers a hole and never goes back."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import seen as module
from gateway.evidence.seen import Seen, SeqVerdict, insert

NEW, LATE, REPEAT = SeqVerdict.NEW, SeqVerdict.LATE, SeqVerdict.REPEAT

messages = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 25)), max_size=60)


def take(seen, boot, seq, oldest=None):
    """As the pipeline does: the next number of the newest boot never enters `admit`."""
    if seq == seen.top + 1 and boot == seen.boot:
        seen.top = seq
        seen.floor = max(seen.floor, oldest or 0)
        return NEW
    return seen.admit(boot, seq, oldest)


def held(seen):
    """Every (boot, seq) that it knows."""
    newest = {(seen.boot, n) for low, high in seen._all() if seen.top != -2 for n in range(low, high + 1)}
    return newest | {(boot, n) for boot, all_ in seen.older.items() for low, high in all_ for n in range(low, high + 1)}


@given(messages, st.randoms())
def test_any_order_and_any_repetition_gives_the_same_set(sent, random):
    seen, shuffled, stored = Seen(), sent * 2, []
    random.shuffle(shuffled)
    for boot, seq in shuffled:
        if take(seen, boot, seq) is not REPEAT:
            stored.append((boot, seq))
        seen = Seen.load(seen.dump())
    assert sorted(stored) == sorted(set(sent))
    assert held(seen) == set(sent)


@given(st.lists(st.integers(0, 25), min_size=1, max_size=60))
def test_the_watermark_covers_no_hole_and_never_goes_back(sent):
    seen, before, got = Seen(), -1, set()
    for seq in sent:
        take(seen, "a", seq)
        got.add(seq)
        upto = seen.upto()
        assert upto is not None
        assert upto >= before
        assert set(range(sent[0], upto + 1)) <= got
        assert upto + 1 not in got
        before = upto


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=60))
def test_with_oldest_the_watermark_covers_only_what_is_here_or_lost_for_good(sent):
    seen, before, got, floor = Seen(), -1, set(), None
    for seq, held_from in sent:
        oldest = min(seq, held_from)
        take(seen, "a", seq, oldest)
        got.add(seq)
        floor = oldest if floor is None else max(floor, oldest)
        upto = seen.upto()
        if upto is None:
            assert before == -1
            continue
        assert upto >= before
        assert set(range(floor, upto + 1)) <= got
        before = upto


def test_oldest_is_where_waiting_begins():
    seen = Seen()
    take(seen, "a", 10, oldest=8)
    assert seen.upto() is None  # 8 and 9 may still come
    take(seen, "a", 8)
    assert seen.upto() == 8
    take(seen, "a", 11, oldest=10)  # 9 is lost for good
    assert seen.upto() == 11


def test_an_oldest_above_everything_takes_nothing_back():
    seen = Seen()
    take(seen, "a", 5)
    take(seen, "a", 6, oldest=90)
    assert seen.upto() == 6
    take(seen, "a", 120)
    assert seen.upto() == 6
    for seq in range(90, 120):
        take(seen, "a", seq)
    assert seen.upto() == 120


def test_numbers_may_start_anywhere():
    seen = Seen()
    assert take(seen, "a", 4_000_000_000) is NEW
    assert seen.upto() == 4_000_000_000
    assert take(seen, "b", 0) is NEW
    assert seen.upto() == 0


def test_the_boot_first_heard_later_is_newer():
    seen = Seen()
    take(seen, "a", 1)
    take(seen, "b", 1)
    assert take(seen, "a", 2) is LATE
    assert take(seen, "a", 2) is REPEAT
    assert seen.boot == "b"
    assert seen.is_older("a")
    assert not seen.is_older("b")
    assert not seen.is_older("never heard")
    assert not seen.is_older(None)


def test_a_retained_message_makes_no_boot_the_newest():
    seen = Seen()
    take(seen, "b", 1)
    assert seen.admit_retained("a", 9, None) is LATE  # a ghost of long ago
    assert (seen.boot, take(seen, "b", 2)) == ("b", NEW)


def test_a_boot_first_heard_from_the_broker_becomes_the_newest_when_it_speaks_itself():
    seen = Seen()
    take(seen, "a", 1)
    assert seen.admit_retained("b", 7, None) is LATE
    seen = Seen.load(seen.dump())
    assert take(seen, "b", 7) is REPEAT
    assert take(seen, "b", 8) is NEW
    assert (seen.boot, seen.top) == ("b", 8)
    assert take(seen, "a", 2) is LATE


def test_too_many_holes_lose_nothing_and_cover_nothing(monkeypatch):
    monkeypatch.setattr(module, "RANGES", 8)
    seen = Seen()
    for seq in range(0, 100, 2):
        take(seen, "a", seq)
    assert len(seen.ranges) == 8
    assert seen.upto() == 0
    assert take(seen, "a", 51) is LATE
    assert take(seen, "a", 99) is NEW
    take(seen, "b", 0)
    for seq in range(101, 200, 2):
        take(seen, "a", seq)
    assert len(seen.older["a"]) <= 9


def test_a_hundred_reboots_keep_the_last_boots(monkeypatch):
    monkeypatch.setattr(module, "BOOTS", 3)
    seen = Seen()
    for number in range(100):
        take(seen, f"b{number}", 1)
    assert list(seen.older) == ["b96", "b97", "b98"]


def test_without_an_identity_a_repeat_needs_its_own_time_or_the_brokers_word():
    seen = Seen()
    assert not seen.repeats(1, certain=False)
    assert not seen.repeats(1, certain=False)
    assert seen.repeats(1, certain=True)
    for number in range(module.RECENT):
        seen.repeats(100 + number, certain=True)
    assert not seen.repeats(1, certain=True)


@given(st.lists(st.integers(0, 40)))
def test_ranges_stay_ascending_and_apart(numbers):
    ranges, known = [], set()
    for number in numbers:
        assert insert(ranges, number) is (number not in known)
        known.add(number)
    assert {n for low, high in ranges for n in range(low, high + 1)} == known
    assert all(left[1] + 1 < right[0] for left, right in itertools.pairwise(ranges))
