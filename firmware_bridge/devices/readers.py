"""Wiegand converters and plain serial card readers: what they write, and the card in it.

Sources: Priority 1 Design WIE232-A (hex and CR), S4A converter manual (decimal and CRLF), IDTECK SR30 (STX ... LRC),
Seeed 113020002 / RDM6300 (EM4100 module with checksum); parity rules as in ESPHome's wiegand component.
"""

import re
from collections.abc import Sequence

from firmware_bridge.cards import CardNumber
from firmware_bridge.devices.base import DeviceOrder, Heard, Listener
from firmware_bridge.door import Decision, Door
from firmware_bridge.frames.checks import xor
from gateway.model import Millis

LIMIT = 40  # bytes of the longest line
THERE_MS = 30_000
STX, ETX = 2, 3

_HEX = re.compile(rb"[0-9A-F]{6}(?:[0-9A-F]{2})?")
_DECIMAL = re.compile(rb"[0-9]{10}")
_BITS = re.compile(rb"[01]{26}|[01]{34}")


def wiegand(bits: str) -> tuple[int, CardNumber] | None:
    """Facility code (W26; 0 for W34) and card of a whole 26 or 34 bit word; None when its parity does not hold."""
    if len(bits) not in (26, 34) or set(bits) - {"0", "1"}:
        return None
    half = len(bits) // 2
    if bits[:half].count("1") % 2 != 0 or bits[half:].count("1") % 2 != 1:
        return None
    value = int(bits[1:-1], 2)
    return (value >> 16 if len(bits) == 26 else 0), CardNumber.of_int(value)


def parse_line(line: bytes) -> CardNumber | None:
    """A card from a line of hex digits, decimal digits or bits; None for all else."""
    if _BITS.fullmatch(line):
        card = wiegand(line.decode())
        return card[1] if card else None
    if _DECIMAL.fullmatch(line):
        return CardNumber.of_int(int(line))
    return CardNumber.of_int(int(line, 16)) if _HEX.fullmatch(line) else None


def parse_marked(frame: bytes) -> CardNumber | None:
    """A card from STX ... ETX with its LRC behind, or from an EM4100 module's fourteen bytes."""
    text = frame[1 : frame.find(ETX)]
    if not re.fullmatch(rb"[0-9A-F]{8}|[0-9A-F]{10}|[0-9A-F]{12}", text):
        return None
    if len(text) == 12:
        raw = bytes.fromhex(text.decode())
        return CardNumber.of_int(int(text[:10], 16)) if xor(raw[:5]) == raw[5] else None
    if len(frame) != len(text) + 3 or xor(frame[:-1]) != frame[-1]:
        return None
    return CardNumber.of_int(int(text, 16))


class CardLines:
    """Bytes in, cards out, whichever of the styles comes. Nothing that is refused is kept or told.

    Lines have no checksum, so a reader is held to the width it began with: a decimal number that lost its first digits
    would pass for a hexadecimal one. `CHANGE` lines of another width in a row change it (somebody set the reader anew).
    """

    CHANGE = 3

    def __init__(self) -> None:
        self._rest = b""
        self._skip = False  # inside a line that is already too long
        self._width = 0
        self._strange = 0
        self.frames = self.bad = self.junk = 0

    def reset(self) -> None:
        self._rest, self._skip = b"", False

    def feed(self, data: bytes) -> list[CardNumber]:
        cards = []
        stream = self._rest + data
        while stream:
            used, card = self._marked(stream) if stream[0] == STX else self._line(stream)
            if not used:
                break
            if card is not None:
                cards.append(card)
            stream = stream[used:]
        self._rest = stream
        self.frames += len(cards)
        return cards

    def _line(self, stream: bytes) -> tuple[int, CardNumber | None]:
        end = min((at for mark in (b"\r", b"\n", b"\x02") if (at := stream.find(mark)) >= 0), default=-1)
        if end < 0:
            if len(stream) <= LIMIT:
                return 0, None
            self._skip = True
            self.junk += len(stream)
            return len(stream), None
        skip, self._skip = self._skip, False
        cut = stream[end] == STX
        card = None if skip or cut else self._fitting(stream[:end])
        if card is None and end > 0:
            self.bad += 1
            self.junk += end
        return end + (not cut), card

    def _fitting(self, line: bytes) -> CardNumber | None:
        card = parse_line(line)
        if card is None or len(line) == self._width:
            self._strange = 0
            return card
        self._strange += 1
        if self._width and self._strange < self.CHANGE:
            return None
        self._width, self._strange = len(line), 0
        return card

    def _marked(self, stream: bytes) -> tuple[int, CardNumber | None]:
        end = stream.find(ETX, 1, LIMIT)
        restart = stream.find(STX, 1, end if end >= 0 else LIMIT)
        if restart >= 0 or (end < 0 and len(stream) >= LIMIT):
            self.bad += 1
            return (restart if restart > 0 else len(stream)), None
        if end < 0:
            return 0, None
        size = end + 1 if end == 13 else end + 2
        if len(stream) < size:
            return 0, None
        card = parse_marked(stream[:size])
        self.bad += card is None
        return (size if card is not None else 1), card


class CardReader(Listener[CardLines]):
    """One reader at one door. A plain reader's number can be copied: it identifies, it proves nothing."""

    def __init__(self, device: str, door: Door) -> None:
        self._device, self._door = device, door
        self.reader = CardLines()
        self._due: Millis = 0

    def opened(self, now: Millis) -> bytes:
        self._due = now
        return super().opened(now)

    def tick(self, now: Millis) -> tuple[Sequence[Heard], bytes]:
        """A reader is silent between cards: it counts as there while its port is."""
        if now < self._due:
            return (), b""
        self._due = now + THERE_MS
        return (Heard(devices=(self._device,)),), b""

    def deadline(self) -> Millis:
        return self._due

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        cards = self.reader.feed(data)
        return tuple(self._heard(self._door.card(card, now)) for card in cards)

    def _heard(self, decision: Decision) -> Heard:
        pulse_ms = self._door.rules.pulse_ms if decision.opens else 0
        orders = (DeviceOrder(self._device, "unlock", pulse_ms),) if pulse_ms else ()
        return Heard(decision.readings, (self._device,), orders=orders)
