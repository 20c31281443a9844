"""Cards leave the store when their time is over, and when somebody asks; everything else stays to the byte."""

import pytest

from gateway.model import Batch
from gateway.store.base import StoreError
from gateway.store.cards import CardRetention, forget_card, without_card
from gateway.store.days import day_files
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, HOUR, NOON, batch, refused

DOOR = b"yz/yanshan/door-main/event"


def passages(first, cards, at):
    made = Batch()
    for seq, card in enumerate(cards, first):
        made.append(DOOR, b'{"boot":"b","seq":%d,"type":"card","card":"%s","granted":true}' % (seq, card), at + seq, 0)
    return made


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path, NOON, ballast_mib=0)
    yield opened
    opened.close()


def payloads(folder):
    reader = SqliteReader(folder)
    try:
        return [reading.payload for reading in reader.readings()]
    finally:
        reader.close()


def finish(store, chore, now):
    for _ in range(1000):
        if not chore.tidy(now):
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("sealed", [False, True])
def test_after_their_days_cards_are_gone_and_nothing_else(store, tmp_path, sealed):
    for day in range(4):
        store.commit(batch(1 + 30 * day, 30, NOON + day * DAY), [], [], NOON + day * DAY)
        store.commit(passages(100 * day, [b"ab12", b"cd34"], NOON + day * DAY), [], [], NOON + day * DAY)
    if sealed:
        store.checkpoint(0, store.last_id, b"")
        while store.tidy(NOON + 3 * DAY + HOUR):
            pass
    before = payloads(tmp_path)
    chore = CardRetention(store, keep_days=2)
    finish(store, chore, NOON + 4 * DAY)
    after = payloads(tmp_path)
    assert [b'"card":' in payload for payload in after if b'"type"' in payload] == [False] * 4 + [True] * 4
    assert [payload for payload in after if b'"type"' not in payload] == [
        payload for payload in before if b'"type"' not in payload
    ]
    assert b'{"boot":"b","seq":0,"type":"card","granted":true}' in after
    for path in day_files(tmp_path)[:2]:
        assert b"ab12" not in path.read_bytes()


def test_a_day_is_done_once_also_over_a_restart(store):
    for day in range(3):
        store.commit(passages(day, [b"ab12"], NOON + day * DAY), [], [], NOON + day * DAY)
    finish(store, CardRetention(store, keep_days=1), NOON + 3 * DAY)
    assert CardRetention(store, keep_days=1).tidy(NOON + 3 * DAY) is False


def test_a_person_who_asks_is_forgotten_in_every_day_and_in_quarantine(store, tmp_path):
    for day in range(2):
        store.commit(passages(10 * day, [b"AB12", b"cd34", b"ab12"], NOON + day * DAY), [], [], NOON + day * DAY)
    bad = refused(NOON, b'{"type":"card","card":"ab12","granted":5}')
    store.commit(Batch(), [], [bad.__class__(DOOR, bad.payload, NOON, "wrong_type"), refused(NOON)], NOON + DAY)
    store.close()
    assert forget_card(tmp_path, "aB12") == 5
    assert sum(b"cd34" in payload for payload in payloads(tmp_path)) == 2
    assert not any(b"ab12" in payload.lower() for payload in payloads(tmp_path))
    reader = SqliteReader(tmp_path)
    assert [message.payload for message in reader.quarantine()] == [b"{"]
    reader.close()
    assert forget_card(tmp_path, "ab12") == 0


def test_a_day_that_is_damaged_is_told_and_left(store, tmp_path, caplog):
    for day in range(3):
        store.commit(passages(day, [b"ab12"], NOON + day * DAY), [], [], NOON + day * DAY)
    day_files(tmp_path)[0].write_bytes(b"no database at all" * 1000)
    finish(store, CardRetention(store, keep_days=0), NOON + 2 * DAY)
    assert "cards stay where they are" in caplog.text
    assert b'"card":' not in payloads_of_day(tmp_path, 1)


def payloads_of_day(folder, number):
    reader = SqliteReader(folder)
    start = NOON + number * DAY
    try:
        return b"".join(reading.payload for reading in reader.readings(start, start + HOUR))
    except StoreError:
        return b""
    finally:
        reader.close()


@pytest.mark.parametrize(
    "payload", [b'{"type":"tamper"}', b'{"type":"card","card":5}', b'not json with a "card"', b'["card"]']
)
def test_what_has_no_card_stays_as_it_is(payload):
    assert without_card(payload, lambda _card: True) is None
