"""Readers of Chinese second-generation identity cards (SDT / SAM-V): whether a valid card lies there, and nothing else.

Only *find* is ever sent. There is no code here that could ask for the text of a card (command 30), a reply longer than
`LIMIT` is dropped unread, and what lies in a reply beyond its status byte is not looked at. The law asks for the
minimum (Personal Information Protection Law, articles 6 and 28): presence is all that a rest station needs.
Source: SAM_V protocol as published by Eastcoms, agreeing with several public drivers.
"""

from collections.abc import Sequence
from typing import Any

from firmware_bridge.devices.base import DeviceOrder, DeviceReading
from firmware_bridge.frames.checks import xor
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner
from firmware_bridge.polled import Question
from gateway.model import Millis

PREAMBLE = bytes.fromhex("AAAAAA9669")
LIMIT = 64
FIND = bytes.fromhex("AAAAAA9669 0003 2001 22")
FOUND, NO_CARD = 0x9F, 0x80


def _measure(window: bytes) -> int:
    if len(window) < 7:
        return MORE
    size = 7 + int.from_bytes(window[5:7], "big")
    return NOT_A_FRAME if not 10 <= size <= LIMIT else size


def _sound(frame: bytes) -> bool:
    """Our own questions are frames too: some adapters echo them."""
    if xor(frame[5:-1]) != frame[-1]:
        return False
    return is_reply(frame) or (len(frame) == 10 and frame[7:9] in _ASKED)


_ASKED = frozenset(bytes.fromhex(command) for command in ("10FF", "11FF", "12FF", "2001", "2002"))


def is_reply(frame: bytes) -> bool:
    return len(frame) >= 11 and frame[7:9] == b"\0\0"


def scanner() -> Scanner:
    return Scanner((PREAMBLE,), _measure, _sound, LIMIT)


def status(frame: bytes) -> int:
    """SW3 of a reply."""
    return frame[9]


def _find(heard: bytes) -> int | None:
    for frame in scanner().feed(heard):
        if is_reply(frame):
            return status(frame)
    return None


class IdReader:
    """A reader at a counter: `occupied` while a card lies on it. Faults of the module are told by their code."""

    def __init__(self, device: str) -> None:
        self.device = device

    def round(self) -> Sequence[Question]:
        return (Question(FIND, _find),)

    def read(self, answers: list[Any], now: Millis) -> tuple[DeviceReading, ...]:  # noqa: ARG002
        code = answers[0]
        if code in (FOUND, NO_CARD):
            return (DeviceReading(self.device, {"occupied": code == FOUND, "fault": ""}),)
        return (DeviceReading(self.device, {"fault": f"sam_{code:02x}"}),)

    def order(self, order: DeviceOrder) -> None:
        """A reader of identity cards takes no orders."""
