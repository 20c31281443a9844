"""OSDP v2 readers (IEC 60839-11-5) on RS-485, with secure channel. The protocol is libosdp's; here is its world.

libosdp's own thread is not used: it dies without a word when a channel raises. It is driven from the bus's thread,
20 ms apart, over two byte buffers, so nothing it calls can fail. A panel whose reader was away for long waits up to
300 s before it tries again; switching the reader off and on wakes it at once. Contacts and tamper are told by the
reader when they change; asking for them throws a reader that refuses off the line, so nobody asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import osdp_sys
from osdp import CardFormat, Channel, Command, Event, LibFlag, LogLevel, PDInfo, StatusReportType

from firmware_bridge.cards import CardNumber
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard, TalkHealth
from firmware_bridge.devices.readers import wiegand
from firmware_bridge.door import Doors
from gateway.model import Millis

REFRESH_MS = 20  # a reader wants to be polled every 50 ms
WAKE_MS = 10_000
TELL_MS = 1_000  # how often a reader that is there is said to be
LIMIT = 1_440
_DEFAULT_KEY = bytes(range(0x30, 0x40))
_BUZZER = {"control_code": 2, "on_count": 1, "off_count": 1, "rep_count": 1, "reader": 0}


@dataclass(frozen=True, slots=True)
class OsdpUnit:
    """One reader. `key` is its secure-channel base key; None speaks in clear, which only a test bench should."""

    device: str
    address: int
    key: bytes | None = None


class _Wire(Channel):  # type: ignore[misc]  # libosdp has no types
    """What came from the bus and what goes there."""

    def __init__(self) -> None:
        super().__init__()
        self.incoming = bytearray()
        self.outgoing = bytearray()

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.incoming[:max_bytes])
        del self.incoming[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        self.outgoing += buf
        return len(buf)

    def flush(self) -> None:
        self.incoming.clear()


class Osdp:
    """A `Talk`: the control panel of one bus."""

    def __init__(self, readers: Sequence[OsdpUnit], doors: Doors) -> None:
        for reader in readers:
            if reader.key is not None and (reader.key == _DEFAULT_KEY or len(reader.key) != 16):
                raise ValueError(f"OSDP key of {reader.device}: 16 bytes of its own, never the installation default")
        self._readers, self._doors = tuple(readers), doors
        self._wire = _Wire()
        self._panel: Any = None
        self._due: Millis = 0
        self._wake_at: dict[int, Millis] = {}
        self._online = 0
        self._told_at: Millis = 0
        self._events: list[tuple[int, Mapping[str, Any]]] = []
        self._health = TalkHealth()
        osdp_sys.set_loglevel(LogLevel.Emergency)  # its debug text would carry frames

    def opened(self, now: Millis) -> bytes:
        self._wire.incoming.clear()
        self._wire.outgoing.clear()
        first = self._panel is None
        if first:
            self._panel = osdp_sys.ControlPanel([self._info(reader) for reader in self._readers])
            self._panel.set_event_callback(self._event)
        self._online = 0
        self._wake_at = dict.fromkeys(range(len(self._readers)), now + WAKE_MS if first else now)
        self._due = now
        return b""

    def _info(self, reader: OsdpUnit) -> dict[str, Any]:
        flags = [LibFlag.EnforceSecure] if reader.key is not None else []
        info: dict[str, Any] = PDInfo(reader.address, self._wire, scbk=reader.key, flags=flags).get()
        return info

    def _event(self, reader: int, event: Mapping[str, Any]) -> int:
        self._events.append((reader, event))
        return 0

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:  # noqa: ARG002
        self._wire.incoming += data[-LIMIT:]
        return ()

    def deadline(self) -> Millis:
        return self._due

    def health(self) -> TalkHealth:
        return self._health

    def tick(self, now: Millis) -> tuple[Sequence[Heard], bytes]:
        heard: list[Heard] = []
        if now >= self._due and self._panel is not None:
            self._due = now + REFRESH_MS
            self._panel.refresh()
            heard = self._presence(now)
        for reader, event in self._events:
            heard.append(self._read(self._readers[reader], event, now))
        self._events.clear()
        said, self._wire.outgoing = bytes(self._wire.outgoing), bytearray()
        return heard, said

    def _presence(self, now: Millis) -> list[Heard]:
        mask = self._panel.status()
        came = mask & ~self._online
        self._online = mask
        if mask:
            self._health.frames += 1
        for index in range(len(self._readers)):
            if mask >> index & 1:
                self._wake_at[index] = now + WAKE_MS
            elif not self._panel.is_pd_enabled(index):
                self._panel.enable_pd(index)
            elif now >= self._wake_at[index]:
                self._wake_at[index] = now + WAKE_MS
                self._panel.disable_pd(index)  # and on again at the next refresh
        if not came and now < self._told_at + TELL_MS:
            return []
        self._told_at = now
        devices = tuple(reader.device for index, reader in enumerate(self._readers) if mask >> index & 1)
        return [Heard(devices=devices)] if devices else []

    def _read(self, reader: OsdpUnit, event: Mapping[str, Any], now: Millis) -> Heard:
        if event.get("event") == Event.CardRead:
            return self._card(reader, event, now)
        report = bytes(event.get("report") or b"") if event.get("event") == Event.Status else b""
        readings: tuple[DeviceReading, ...] = ()
        if event.get("type") == StatusReportType.Input and report:
            readings = (DeviceReading(reader.device, {"open": bool(report[0])}),)
        elif event.get("type") == StatusReportType.Local and report and report[0]:
            readings = (DeviceReading(reader.device, {}, "tamper"),)
        return Heard(readings, (reader.device,))

    def _card(self, reader: OsdpUnit, event: Mapping[str, Any], now: Millis) -> Heard:
        door = self._doors[reader.device]
        decision = door.card(card_of(event), now)
        orders = (DeviceOrder(reader.device, "unlock", door.rules.pulse_ms),) if decision.opens else ()
        return Heard(decision.readings, (reader.device,), orders=orders)

    def order(self, order: DeviceOrder, now: Millis) -> bytes | None:
        for reader in self._readers:
            if reader.device == order.device and self._panel is not None:
                self._doors[reader.device].expect(now)
                self._open(reader, order.pulse_ms)
                return b""
        return None

    def _open(self, reader: OsdpUnit, pulse_ms: int) -> None:
        """A pulse on output 0, and a beep so that people know."""
        index = self._readers.index(reader)
        if pulse_ms:
            count = max(1, pulse_ms // 100)
            self._panel.submit_command(
                index, {"command": Command.Output, "output_no": 0, "control_code": 5, "timer_count": count}
            )
        self._panel.submit_command(index, {"command": Command.Buzzer, **_BUZZER})


def card_of(event: Mapping[str, Any]) -> CardNumber:
    """The card as a Wiegand converter would give it; all bits as sent where they hold no Wiegand parity."""
    if event.get("format") == CardFormat.ASCII:
        return CardNumber.of_text(bytes(event["data"]))
    data, length = bytes(event["data"]), int(event["length"])
    bits = "".join(f"{byte:08b}" for byte in data)[:length]
    card = wiegand(bits)
    return card[1] if card else CardNumber.of_int(int(bits or "0", 2))
