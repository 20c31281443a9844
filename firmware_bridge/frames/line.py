"""Level 1 of our own framing: `{json}*CCCC\\n`, where CCCC is the CRC-16/MODBUS of the JSON in upper-case hex.

A line that does not begin with `{` is boot noise or log text and ignored. See docs/framing.md.
"""

from typing import Any

import msgspec

from firmware_bridge.frames.checks import crc16_modbus

LIMIT = 512  # bytes of a line with its check, without the line end

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def seal(body: bytes) -> bytes:
    """A line ready to send."""
    return b"%b*%04X\n" % (body, crc16_modbus(body))


def unseal(line: bytes) -> bytes | None:
    """The body of one line without its end; None when it is too long or its check does not hold."""
    body, star, crc = line[:-5], line[-5:-4], line[-4:]
    if len(line) > LIMIT or star != b"*" or crc != b"%04X" % crc16_modbus(body):
        return None
    return body


class LineReader:
    """Bytes in, JSON objects out, each with the body it was read from."""

    def __init__(self) -> None:
        self._rest = b""
        self._skip = False  # inside a line that is already too long
        self.frames = 0
        self.bad = 0
        self.junk = 0

    def reset(self) -> None:
        self._rest, self._skip = b"", False

    def feed(self, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
        *lines, rest = (self._rest + data).split(b"\n")
        frames = []
        for line in lines:
            if self._skip:
                self._skip = False
                continue
            if (frame := self._read(line.rstrip(b"\r"))) is not None:
                frames.append(frame)
        if len(rest) > LIMIT + 1:
            self.bad += not self._skip
            self.junk += len(rest)
            self._skip, rest = True, b""
        self._rest = rest if not self._skip else b""
        return frames

    def _read(self, line: bytes) -> tuple[dict[str, Any], bytes] | None:
        if not line.startswith(b"{"):
            # Noise may stand before a frame on the same line; the check decides where it begins.
            self.junk += len(line)
            at = line.find(b"{")
            return self._read(line[at:]) if at > 0 else None
        body = unseal(line)
        if body is None:
            self.bad += 1
            at = line.find(b'{"v"', 1)
            return self._read(line[at:]) if at > 0 else None
        try:
            fields = _decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self.bad += 1
            return None
        self.frames += 1
        return fields, body
