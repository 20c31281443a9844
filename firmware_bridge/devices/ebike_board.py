"""The controller board inside an e-bike pile (Dongjun "slow-charge hardware interface"): 9600 8N1, asked by us.

Frame: EE (request) or 66 (reply), length u8 (command to sum), command u8, six ASCII digits of session, data, XOR of
length to the last data byte. A template for boards of its sort; each maker differs.
"""

from collections.abc import Sequence
from typing import Any

from firmware_bridge.devices.base import DeviceOrder, DeviceReading
from firmware_bridge.frames.checks import xor
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner
from firmware_bridge.polled import Question
from gateway.model import Millis

REQUEST, REPLY = 0xEE, 0x66
PORT_STATES = 0x01
LIMIT = 64
_STATUSES = {1: "Available", 2: "Charging", 3: "Unavailable", 4: "Faulted"}


def build(start: int, command: int, session: bytes, data: bytes = b"") -> bytes:
    body = bytes((len(session) + len(data) + 2, command)) + session + data
    return bytes((start,)) + body + bytes((xor(body),))


def _measure(window: bytes) -> int:
    if len(window) < 2:
        return MORE
    return window[1] + 2 if 10 <= window[1] + 2 <= LIMIT else NOT_A_FRAME


def _sound(frame: bytes) -> bool:
    return xor(frame[1:-1]) == frame[-1] and frame[3:9].isdigit()


def scanner() -> Scanner:
    return Scanner((bytes((REQUEST,)), bytes((REPLY,))), _measure, _sound, LIMIT)


def states(frame: bytes) -> bytes | None:
    """The state of each port from a reply to `PORT_STATES`; None for any other frame."""
    if frame[0] != REPLY or frame[2] != PORT_STATES or len(frame) < 11:
        return None
    count = frame[9]
    port_states = frame[10:-1]
    return port_states if len(port_states) == count and all(state in _STATUSES for state in port_states) else None


class EbikeBoard:
    """One board; socket n is `device-n`, from 1. The session number of question and answer must agree."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._session = 0

    def round(self) -> Sequence[Question]:
        self._session = self._session % 999_999 + 1
        session = b"%06d" % self._session
        return (Question(build(REQUEST, PORT_STATES, session, b"\0"), lambda heard: self._find(heard, session)),)

    @staticmethod
    def _find(heard: bytes, session: bytes) -> bytes | None:
        for frame in scanner().feed(heard):
            if frame[3:9] == session and (port_states := states(frame)) is not None:
                return port_states
        return None

    def read(self, answers: list[Any], now: Millis) -> tuple[DeviceReading, ...]:  # noqa: ARG002
        return tuple(
            DeviceReading(f"{self.device}-{port}", {"status": _STATUSES[state]})
            for port, state in enumerate(answers[0], start=1)
        )

    def order(self, order: DeviceOrder) -> None:
        """Never: starting a charge is not ours."""
