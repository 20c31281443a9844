"""How messages lie in a row: a batch is columns of whole messages; a block is the same messages column by column.

A batch is written on the hot path: arrays and joined payloads through zlib level 1 (times of receipt in 32 bits, or in
64 where the clock was set in between). A block is made later from many batches: every number in a payload leaves its
text for a column of its own and is kept as the difference from the last one of the same topic, so that what repeats
costs nothing. Both give back every payload to the byte.
"""

import lzma
import re
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from gateway.model import Batch, Millis

_HEAD = struct.Struct("<BIQ")  # version, messages, first received_at
NARROW, WIDE = 1, 2  # versions of a batch: how many bits a time of receipt takes
VERSION = 1  # of a block


class DamagedError(Exception):
    """A stored row does not unpack: the file was damaged."""


def _le(column: "array[int]") -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()


def pack_batch(batch: Batch, ids: Sequence[int]) -> bytes:
    """`ids`: the topic of each message as a number of the `name` table."""
    first = batch.received[0]
    later = [received - first for received in batch.received]
    try:
        version, times = NARROW, array("I", later)
    except OverflowError:
        version, times = WIDE, array("q", later)
    columns = (
        _HEAD.pack(version, len(batch), first),
        _le(array("I", ids)),
        _le(array("I", [len(payload) for payload in batch.payloads])),
        _le(times),
        bytes(batch.flags),
        *batch.payloads,
    )
    return zlib.compress(b"".join(columns), 1)


def unpack_batch(blob: bytes, topic: Callable[[int], bytes]) -> Batch:
    """DamagedError when it is not what `pack_batch` made."""
    try:
        data = zlib.decompress(blob)
        version, count, first = _HEAD.unpack_from(data)
        if version not in (NARROW, WIDE):
            raise DamagedError(f"packed by a newer version ({version})")
        ids, at = _column("I", data, _HEAD.size, count)
        sizes, at = _column("I", data, at, count)
        received, at = _column("I" if version == NARROW else "q", data, at, count)
        batch = Batch()
        batch.flags = bytearray(data[at : at + count])
        at += count
        for size in sizes:
            batch.payloads.append(data[at : at + size])
            at += size
        if at != len(data):
            raise DamagedError("its length is not what its head says")
        batch.received = [first + later for later in received]
        batch.topics = [topic(number) for number in ids]
        batch.numbers = list(ids)
    except (zlib.error, struct.error, ValueError, KeyError) as error:
        raise DamagedError(str(error)) from None
    return batch


def _column(code: Literal["I", "q"], data: bytes, at: int, count: int) -> tuple["array[int]", int]:
    column: array[int] = array(code)
    end = at + column.itemsize * count
    column.frombytes(data[at:end])
    if sys.byteorder == "big":
        column.byteswap()
    return column, end


# ---- blocks ----

_NUMBER = re.compile(rb"(?<![\d.])-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?(?![\d.eE])")
_BLOCK_HEAD = struct.Struct("<BI7I")  # version, messages, the length of each column
_CLOCK_DIGITS = 13  # a number so long is a time in ms: kept as its distance from the receipt
_SLOT = b"\x01"  # stands for a number in a template; the next byte says how many decimals


def pack_block(batches: Iterable[tuple[int, Batch]], ids: Callable[[bytes], int]) -> bytes:
    """All messages of `batches`, given with their ids, in order. `ids` gives the number of a topic."""
    templates: dict[bytes, int] = {}
    last: dict[tuple[int, int], list[int]] = {}
    topics, kinds, flags = bytearray(), bytearray(), bytearray()
    times, numbers, sizes = bytearray(), bytearray(), bytearray()
    before, count, id_before = 0, 0, 0
    for id_, batch in batches:
        _put(sizes, id_ - id_before)
        _put(sizes, len(batch))
        id_before = id_
        for topic, payload, received, flag in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            template, values = _split(payload, received)
            kind = templates.setdefault(template, len(templates))
            number = ids(topic)
            known = last.get((number, kind))
            for at, value in enumerate(values):
                _put(numbers, value - known[at] if known is not None else value)
            last[number, kind] = values
            _put(topics, number)
            _put(kinds, kind)
            flags.append(flag)
            _put(times, received - before)
            before = received
            count += 1
    words = b"".join(len(template).to_bytes(4, "little") + template for template in templates)
    parts = (words, bytes(topics), bytes(kinds), bytes(flags), bytes(times), bytes(numbers), bytes(sizes))
    head = _BLOCK_HEAD.pack(VERSION, count, *[len(part) for part in parts])
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]  # 8 MiB would cost 90 of memory
    return lzma.compress(head + b"".join(parts), lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)


def unpack_block(blob: bytes, topic: Callable[[int], bytes], after: int = 0) -> Batch:
    """One batch with all messages of ids above `after`. DamagedError when it is not what `pack_block` made."""
    try:
        data = lzma.decompress(blob)
        version, count, *sizes = _BLOCK_HEAD.unpack_from(data)
        if version != VERSION:
            raise DamagedError(f"packed by a newer version ({version})")
        parts, at = [], _BLOCK_HEAD.size
        for size in sizes:
            parts.append(data[at : at + size])
            at += size
        return _join(parts, count, topic, _messages_upto(_Stream(parts[6]), count, after))
    except (lzma.LZMAError, struct.error, IndexError, KeyError, ValueError) as error:
        raise DamagedError(str(error)) from None


def _messages_upto(sizes: "_Stream", count: int, after: int) -> int:
    """How many messages belong to batches with ids up to `after`."""
    id_, seen = 0, 0
    while seen < count:
        id_ += sizes.next()
        if id_ > after:
            break
        seen += sizes.next()
    return seen


def _join(parts: list[bytes], count: int, topic: Callable[[int], bytes], skip: int) -> Batch:
    templates = _words(parts[0])
    topics, kinds, times, numbers = _Stream(parts[1]), _Stream(parts[2]), _Stream(parts[4]), _Stream(parts[5])
    last: dict[tuple[int, int], list[int]] = {}
    batch, received = Batch(), 0
    for place, flag in enumerate(parts[3][:count]):
        number, kind = topics.next(), kinds.next()
        received += times.next()
        pieces = templates[kind]
        known = last.get((number, kind))
        values = [numbers.next() for _ in range(len(pieces) - 1)]
        if known is not None:
            values = [value + old for value, old in zip(values, known, strict=True)]
        last[number, kind] = values
        if place >= skip:
            batch.append(topic(number), _fill(pieces, values, received), received, flag)
    return batch


def _split(payload: bytes, received: Millis) -> tuple[bytes, list[int]]:
    """A payload as a template and its numbers."""
    values: list[int] = []
    if _SLOT in payload or payload.startswith(b"\x02"):
        return b"\x02" + payload, values  # cannot happen in JSON; kept whole

    def take(number: re.Match[bytes]) -> bytes:
        text = number[0]
        whole, _, decimals = text.partition(b".")
        if text.startswith(b"-0"):
            return text
        value = int(whole + decimals)
        clock = not decimals and len(whole) == _CLOCK_DIGITS
        values.append(received - value if clock else value)
        return _SLOT + (b"t" if clock else b"%d" % len(decimals))

    return _NUMBER.sub(take, payload), values


def _words(data: bytes) -> list[list[bytes]]:
    """Templates, each as the pieces between its numbers; all but the first begin with the kind of number."""
    templates, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        text = data[at + 4 : at + 4 + size]
        templates.append([text[1:]] if text.startswith(b"\x02") else text.split(_SLOT))
        at += 4 + size
    return templates


def _fill(pieces: list[bytes], values: list[int], received: Millis) -> bytes:
    out = [pieces[0]]
    for piece, value in zip(pieces[1:], values, strict=True):
        how = piece[:1]
        if how == b"t":
            out.append(b"%d" % (received - value))
        elif how == b"0":
            out.append(b"%d" % value)
        else:
            out.append(_decimal(value, int(how)))
        out.append(piece[1:])
    return b"".join(out)


def _decimal(value: int, decimals: int) -> bytes:
    digits = b"%0*d" % (decimals + 1, abs(value))
    return (b"-" if value < 0 else b"") + digits[:-decimals] + b"." + digits[-decimals:]


def _put(out: bytearray, value: int) -> None:
    """A signed number in as few bytes as it needs."""
    value = value << 1 if value >= 0 else (-value << 1) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


class _Stream:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def next(self) -> int:
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value >> 1 if not value & 1 else -((value + 1) >> 1)
            shift += 7
