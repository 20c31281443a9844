"""Modbus RTU slaves, read by register map. pymodbus makes the requests and turns registers into numbers.

Source: Modbus over Serial Line V1.02, Application Protocol V1.1b3. pymodbus's own client is not used: it owns the port,
waits in it, and drops a good reply that stands behind noise. The search for the one reply that fits is here.
"""

from collections.abc import Sequence
from typing import Any

from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from firmware_bridge.devices.base import DeviceOrder, DeviceReading
from firmware_bridge.devices.modbus_map import Block, Point, RegisterMap, blocks, value_of
from firmware_bridge.frames.checks import crc16_modbus
from firmware_bridge.polled import Question
from gateway.model import Millis, Signal

_REQUESTS: dict[str, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}
_framer = FramerRTU(DecodePDU(is_server=False))
_TYPES = {datatype.name.lower(): datatype for datatype in ModbusClientMixin.DATATYPE}


class Refused(int):
    """The exception code of a slave that understood and said no."""


def request(block: Block, unit: int) -> bytes:
    return bytes(_framer.buildFrame(_REQUESTS[block.function](address=block.address, count=block.count, dev_id=unit)))


def whole(frame: bytes) -> bool:
    """True when the check of these bytes holds."""
    return len(frame) >= 4 and crc16_modbus(frame) == 0


def find_reply(heard: bytes, unit: int, function: int, size: int) -> bytes | Refused | None:
    """The data of the reply with `size` data bytes, or the refusal, wherever it stands in `heard`."""
    head, no = bytes((unit, function, size)), bytes((unit, function | 0x80))
    at = heard.find(head)
    while at >= 0:
        frame = heard[at : at + size + 5]
        if len(frame) == size + 5 and whole(frame):
            return frame[3:-2]
        at = heard.find(head, at + 1)
    at = heard.find(no)
    while at >= 0:
        frame = heard[at : at + 5]
        if len(frame) == 5 and whole(frame):
            return Refused(frame[2])
        at = heard.find(no, at + 1)
    return None


class ModbusSlave:
    """One unit with its map. A refused or undecodable point is left out; the rest still counts."""

    def __init__(self, device: str, unit: int, register_map: RegisterMap) -> None:
        self.device, self._unit, self._map = device, unit, register_map
        self._blocks = blocks(register_map)
        self._questions = tuple(self._question(block) for block in self._blocks)

    def _question(self, block: Block) -> Question:
        bits = block.function in ("coil", "discrete")
        size = (block.count + 7) // 8 if bits else 2 * block.count
        function = _REQUESTS[block.function].function_code
        unit = self._unit
        return Question(request(block, unit), lambda heard: find_reply(heard, unit, function, size))

    def round(self) -> Sequence[Question]:
        return self._questions

    def read(self, answers: list[Any], now: Millis) -> tuple[DeviceReading, ...]:  # noqa: ARG002
        by_suffix: dict[str, dict[str, Signal]] = {}
        for block, answer in zip(self._blocks, answers, strict=True):
            if isinstance(answer, Refused):
                continue
            for point in block.points:
                value = value_of(point, self._raw(block, point, answer))
                if value is not None:
                    by_suffix.setdefault(point.suffix, {})[point.signal] = value
        return tuple(DeviceReading(self.device + suffix, signals) for suffix, signals in by_suffix.items())

    def _raw(self, block: Block, point: Point, data: bytes) -> float | bool:
        at = point.address - block.address
        if block.function in ("coil", "discrete"):
            return bool(data[at // 8] >> at % 8 & 1)
        registers = [
            int.from_bytes(data[2 * register : 2 * register + 2], "big") for register in range(at, at + point.words)
        ]
        order = point.word_order or self._map.word_order
        value = ModbusClientMixin.convert_from_registers(registers, _TYPES[point.type], order)
        return value if isinstance(value, (int, float)) else float("nan")

    def order(self, order: DeviceOrder) -> Question | None:  # noqa: ARG002
        """Writes only the one coil that the map names as the lock's relay; the board's own timer switches it off."""
        if self._map.relay is None:
            return None
        pdu = WriteSingleCoilRequest(address=self._map.relay.coil, bits=[True], dev_id=self._unit)
        frame = bytes(_framer.buildFrame(pdu))
        return Question(frame, lambda heard: frame if frame in heard else None)
