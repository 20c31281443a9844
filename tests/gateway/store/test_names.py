"""What a journal calls a topic: hints save a look-up, and a wrong one never moves a message to another topic."""

import contextlib

import pytest

from gateway.model import Batch
from gateway.store.base import StoreError
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, NOON

TOPICS = [f"yz/yanshan/seat-{number}/state".encode() for number in range(5)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def opened(folder, now=NOON):
    return contextlib.closing(SqliteStore(folder, now, ballast_mib=0))


def said(topics, hints, start=0, at=NOON):
    made = Batch()
    for seq, (topic, hint) in enumerate(zip(topics, hints, strict=True), start):
        made.append(topic, b'{"boot":"b","seq":%d,"occupied":true}' % seq, at, 0, hint)
    return made


def learnt(store):
    """The numbers of TOPICS, after a commit of one message each."""
    first = said(TOPICS, [0] * 5)
    store.commit(first, [], [], NOON)
    numbers = dict(first.looked_up)
    return [numbers[topic] for topic in TOPICS]


def stored(folder):
    with contextlib.closing(SqliteReader(folder)) as reader:
        return {reading.seq: f"yz/{reading.station}/{reading.device}/state".encode() for reading in reader.readings()}


def test_what_had_to_be_looked_up_is_told_and_a_right_hint_needs_no_looking(folder):
    with opened(folder) as store:
        again = said(TOPICS, learnt(store), 5)
        store.commit(again, [], [], NOON)
        assert again.looked_up == []
    assert stored(folder) == dict(enumerate(TOPICS * 2))


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda right: right[1:] + right[:1], id="each the next one's"),
        pytest.param(lambda right: right[:1] * 5, id="all the first one's"),
        pytest.param(lambda _right: [99, -1, 2**40, 0, 7], id="nobody's"),
    ],
)
def test_a_wrong_hint_moves_no_message(folder, lie):
    with opened(folder) as store:
        right = learnt(store)
        store.commit(said(TOPICS, lie(right), 5), [], [], NOON)
    assert stored(folder) == dict(enumerate(TOPICS * 2))


def test_equal_topics_that_are_other_objects_are_the_same_topic(folder):
    with opened(folder) as store:
        right = learnt(store)
        store.commit(said([bytes(bytearray(topic)) for topic in TOPICS], right, 5), [], [], NOON)
    assert stored(folder) == dict(enumerate(TOPICS * 2))


def test_hints_of_yesterday_are_checked_today(folder):
    with opened(folder) as store:
        right = learnt(store)
        store.commit(said(TOPICS[::-1], right, 5, NOON + DAY), [], [], NOON + DAY)
    assert stored(folder) == dict(enumerate(TOPICS + TOPICS[::-1]))


def test_what_was_rolled_back_is_no_name(folder, monkeypatch):
    """A commit that failed gave its new topics numbers, which others get afterwards."""
    with opened(folder) as store:
        store.commit(said(TOPICS[:1], [0]), [], [], NOON)
        failed = said(TOPICS[1:], [0] * 4, 1)
        with monkeypatch.context() as broken:
            broken.setattr("gateway.store.day.pack_batch", _fails)
            with pytest.raises(StoreError):
                store.commit(failed, [], [], NOON)
        assert failed.looked_up == []
        store.commit(said(TOPICS[:0:-1], [2, 3, 4, 5], 1), [], [], NOON)
    assert stored(folder) == dict(enumerate([TOPICS[0], *TOPICS[:0:-1]]))


def _fails(*_args):
    import sqlite3

    raise sqlite3.OperationalError("disk I/O error")
