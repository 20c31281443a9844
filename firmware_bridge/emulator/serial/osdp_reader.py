"""An OSDP reader: libosdp's own peripheral side behind a cable. Loaded only where OSDP is wanted."""

from typing import Any

import osdp_sys
from osdp import Capability, CardFormat, Channel, Event, LogLevel, PDCapabilities, PDInfo


class _Wire(Channel):  # type: ignore[misc]  # libosdp has no types
    def __init__(self) -> None:
        super().__init__()
        self.incoming, self.outgoing = bytearray(), bytearray()

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.incoming[:max_bytes])
        del self.incoming[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        self.outgoing += buf
        return len(buf)

    def flush(self) -> None:
        self.incoming.clear()


class OsdpReader:
    """A machine for a `Cable`. `commands` collects what the panel asked for."""

    def __init__(self, address: int, key: bytes | None = None) -> None:
        self._wire = _Wire()
        self.commands: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        osdp_sys.set_loglevel(LogLevel.Emergency)
        able = PDCapabilities(
            [
                (Capability.OutputControl, 1, 1),
                (Capability.LEDControl, 2, 1),
                (Capability.AudibleControl, 1, 1),
                (Capability.CardDataFormat, 1, 1),
                (Capability.CommunicationSecurity, 1, 1),
                (Capability.ContactStatusMonitoring, 1, 1),
            ]
        )
        self._ctx = osdp_sys.PeripheralDevice(PDInfo(address, self._wire, scbk=key).get(), capabilities=able.get())
        self._ctx.set_command_callback(self._command)

    def _command(self, command: dict[str, Any]) -> tuple[int, None]:
        self.commands.append(command)
        return 0, None

    def present(self, bits: str) -> None:
        """Somebody holds a card to the reader."""
        size = -(-len(bits) // 8)
        data = int(bits.ljust(size * 8, "0"), 2).to_bytes(size, "big")
        about = {"event": Event.CardRead, "reader_no": 0, "direction": 0, "length": len(bits)}
        self._events.append({**about, "format": CardFormat.Wiegand, "data": data})

    def report(self, kind: int, report: bytes) -> None:
        """Its own inputs (`StatusReportType.Input`) or tamper and power (`Local`) have changed."""
        self._events.append({"event": Event.Status, "type": kind, "report": report})

    def hear(self, data: bytes, now_s: float) -> bytes:  # noqa: ARG002
        self._wire.incoming += data
        return b""

    def tick(self, now_s: float) -> bytes:  # noqa: ARG002
        while self._events:
            self._ctx.submit_event(self._events.pop(0))
        self._ctx.refresh()
        said, self._wire.outgoing = bytes(self._wire.outgoing), bytearray()
        return said
