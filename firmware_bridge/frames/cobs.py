"""Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): no zero byte inside a packet, one byte in 254 extra."""


def encode(data: bytes) -> bytes:
    """`data` without zeros, without the delimiter."""
    out = bytearray()
    *blocks, last = data.split(b"\0")
    for block in blocks:
        out += _groups(block, 254)
    return bytes(out + _groups(last, 255))  # at the very end a full group needs no empty one behind it


def _groups(block: bytes, more_from: int) -> bytes:
    out = bytearray()
    while len(block) >= more_from:
        out += b"\xff" + block[:254]
        block = block[254:]
    return bytes(out) + bytes((len(block) + 1,)) + block


def decode(data: bytes) -> bytes | None:
    """The bytes that were encoded; None when `data` is no whole COBS packet (it holds no delimiter)."""
    out = bytearray()
    pos = 0
    while pos < len(data):
        code = data[pos]
        block = data[pos + 1 : pos + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            return None
        out += block
        pos += code
        if code != 0xFF and pos < len(data):
            out.append(0)
    return bytes(out) if data else None
