"""What goes into a packed row comes out of it, to the byte; what was damaged says so."""

import lzma
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.model import Batch
from gateway.store.packing import DamagedError, pack_batch, pack_block, unpack_batch, unpack_block

TOPICS = [b"yz/yanshan/seat-01/state", b"yz/yanshan/pile-01/event", b"yz/b/c/availability"]

numbers = st.one_of(
    st.integers(-(10**17), 10**17).map(lambda n: b"%d" % n),
    st.decimals(-9999, 9999, places=3).map(lambda n: str(n).encode()),
    st.integers(1_700_000_000_000, 1_800_000_000_000).map(lambda n: b"%d" % n),
    st.sampled_from(
        [b"0", b"-0", b"-0.5", b"00", b"0.10", b"1e5", b"1.2.3", b"--1", b"12345678901234567890", b"0.1234567"]
    ),
)
pieces = st.one_of(
    numbers, st.binary(max_size=6), st.sampled_from([b'{"seq":', b",", b'"ts":', b"\x01", b"\x02", b"}"])
)
payloads = st.one_of(st.lists(pieces, max_size=8).map(b"".join), st.binary(max_size=30))
messages = st.tuples(
    st.sampled_from(TOPICS), payloads, st.integers(0, 2**45), st.integers(0, 255)
)  # topic, payload, received_at, flags
batches = st.lists(messages, min_size=1, max_size=20)


def batch_of(rows):
    batch = Batch()
    for row in rows:
        batch.append(*row)
    return batch


def columns(batch):
    return batch.topics, batch.payloads, batch.received, bytes(batch.flags)


@given(batches)
@example([(TOPICS[0], b"{}", 1_780_000_000_000, 0), (TOPICS[0], b"{}", 0, 1)])  # the clock was set back to 1970
def test_a_batch_comes_back_to_the_byte(rows):
    batch = batch_of(rows)
    blob = pack_batch(batch, [TOPICS.index(topic) for topic in batch.topics])
    assert columns(unpack_batch(blob, TOPICS.__getitem__)) == columns(batch)


@given(st.lists(batches, min_size=1, max_size=4))
@example([[(TOPICS[0], b"\x02abc", 5, 0)], [(TOPICS[0], b"\x0112", 4, 0)], [(TOPICS[0], b"", 4, 0)]])
def test_a_block_comes_back_to_the_byte(many):
    whole = batch_of([row for rows in many for row in rows])
    blob = pack_block([(7 + 3 * n, batch_of(rows)) for n, rows in enumerate(many)], TOPICS.index)
    assert columns(unpack_block(blob, TOPICS.__getitem__)) == columns(whole)
    rest = batch_of([row for rows in many[1:] for row in rows])
    assert columns(unpack_block(blob, TOPICS.__getitem__, after=7)) == columns(rest)


ROWS = [(TOPICS[n % 3], b'{"seq":%d,"power_w":1.50}' % n, 1_780_000_000_000 + n, 0) for n in range(40)]
BATCH = pack_batch(batch_of(ROWS), [TOPICS.index(row[0]) for row in ROWS])
BLOCK = pack_block([(1, batch_of(ROWS))], TOPICS.index)


@pytest.mark.parametrize(("blob", "unpack"), [(BATCH, unpack_batch), (BLOCK, unpack_block)], ids=["batch", "block"])
@given(data=st.data())
def test_a_damaged_row_is_told_or_harmless(blob, unpack, data):
    """Any flipped, missing or foreign byte either raises DamagedError or changes nothing."""
    at = data.draw(st.integers(0, len(blob) - 1))
    broken = data.draw(
        st.one_of(
            st.integers(1, 255).map(lambda flip: blob[:at] + bytes([blob[at] ^ flip]) + blob[at + 1 :]),
            st.just(blob[:at]),
            st.binary(max_size=40),
        )
    )
    try:
        unpacked = unpack(broken, TOPICS.__getitem__)
    except DamagedError:
        return
    assert columns(unpacked) == columns(batch_of(ROWS))


@pytest.mark.parametrize("unpack", [unpack_batch, unpack_block])
@given(data=st.binary(max_size=60))
def test_an_intact_wrapping_with_nonsense_inside_is_damaged(unpack, data):
    wrap = zlib.compress if unpack is unpack_batch else lzma.compress
    try:
        unpack(wrap(data), TOPICS.__getitem__)
    except DamagedError:
        return


def test_a_row_of_a_newer_version_is_refused():
    data = zlib.decompress(BATCH)
    with pytest.raises(DamagedError, match="newer version"):
        unpack_batch(zlib.compress(b"\x09" + data[1:]), TOPICS.__getitem__)


def test_a_topic_that_no_table_knows_is_damage():
    with pytest.raises(DamagedError):
        unpack_batch(BATCH, dict[int, bytes]().__getitem__)


def test_sealed_readings_take_few_bytes():
    """2,000 seat messages with boot, seq and both times: under 6 bytes each once sealed."""
    rows = [
        (
            TOPICS[n % 2],
            b'{"ts":%d,"boot":"a1b2c3","seq":%d,"occupied":%s}' % (at, n // 2, b"true" if n % 7 else b"false"),
            at + 9,
            0,
        )
        for n in range(2_000)
        for at in [1_780_000_000_000 + n * 1_500]
    ]
    assert len(pack_block([(1, batch_of(rows))], TOPICS.index)) < 6 * len(rows)
