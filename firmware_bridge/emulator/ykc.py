"""A made-up YKC pile: what it says of what happens at its guns, and how it takes its platform's answers. And its line.

It misbehaves on command: `high_first` is how it writes its CRC, `deaf` lets it repeat a record whatever is answered.
"""

import socket
import threading
from collections import Counter, deque
from random import Random

from firmware_bridge.devices import ykc_frames as frames
from firmware_bridge.devices.ykc_frames import YkcFrame
from firmware_bridge.emulator.ocpp.plugs import Happening, VirtualPlug
from firmware_bridge.frames.checks import crc16_modbus
from gateway.base.clock import monotonic_s, now_ms
from gateway.model import Millis

BEAT_S, CHARGING_S, IDLE_S, RECORD_S = 10.0, 15.0, 300.0, 30.0
STATES = {"Available": (2, 0), "Preparing": (2, 1), "Charging": (3, 1), "SuspendedEV": (2, 1), "Finishing": (2, 1),
          "Faulted": (1, 0), "Unavailable": (1, 0)}  # fmt: skip
VOLTS = 380.0


class VirtualYkcPile:
    """`tick` says what is due, `heard` takes what the platform says; both give bytes. Times in seconds of one clock."""

    def __init__(
        self, number: str, guns: int, *, seed: int = 0, speed: float = 1.0, high_first: bool = False, version: int = 16
    ) -> None:
        self.number, self.high_first, self.version, self.deaf = number, high_first, version, False
        rng = Random(f"{seed}/{number}")  # noqa: S311
        self.plugs = [VirtualPlug(gun, rng, 0.0, next_at=rng.uniform(0, 900)) for gun in range(1, guns + 1)]
        self._speed, self._began = speed, 0.0
        self._beat_at = self._tell_at = self._record_at = 0.0
        self._trades: dict[int, tuple[str, float, Millis]] = {}
        self._count, self._sequence = 0, 0
        self.records: deque[tuple[str, bytes]] = deque()
        """Charges that are over and not confirmed."""
        self.confirmed: dict[str, float] = {}
        """Energies in Wh of those that are."""
        self.answers: Counter[int] = Counter()
        """What the platform has sent, by its type."""
        self.clock: Millis | None = None
        self.reader = frames.scanner()

    # ---- what it says ----

    def dialled(self, now_s: float) -> bytes:
        self.reader.reset()
        self._began = self._began or now_s
        self._beat_at, self._tell_at, self._record_at = now_s, now_s, now_s
        body = bytes.fromhex(self.number) + bytes((1, len(self.plugs), self.version)) + b"V4.1.50\0" + bytes((1,))
        return self._frame(frames.LOGIN, body + bytes(10) + b"\4")

    def tick(self, now_s: float) -> bytes:
        said = b""
        for plug in self.plugs:
            for happening in plug.advance((now_s - self._began) * self._speed):
                said += self.happens(plug, happening)
        if now_s >= self._beat_at:
            self._beat_at = now_s + BEAT_S
            said += b"".join(self._beat(plug) for plug in self.plugs)
        if now_s >= self._tell_at:
            charging = any(plug.charging for plug in self.plugs)
            self._tell_at = now_s + (CHARGING_S if charging else IDLE_S)
            said += b"".join(self.state(plug) for plug in self.plugs)
        if self.records and now_s >= self._record_at:
            self._record_at = now_s + RECORD_S
            said += b"".join(self._frame(frames.RECORD, body) for _, body in self.records)
        return said

    def happens(self, plug: VirtualPlug, happening: Happening) -> bytes:
        if happening.what == "started":
            self._count += 1
            trade = f"{self.number}{plug.connector:02d}{self._count:016d}"
            self._trades[plug.connector] = trade, plug.energy_wh, now_ms()
        elif happening.what == "stopped":
            trade, meter_start, started_at = self._trades.pop(plug.connector)
            self.records.append((trade, self._record(plug, trade, meter_start, started_at)))
            self._record_at = 0.0
        return self.state(plug)

    def retire(self) -> None:
        """Nothing new happens; what is over is told until it is confirmed."""
        for plug in self.plugs:
            plug.next_at = float("inf")

    def _beat(self, plug: VirtualPlug) -> bytes:
        fault = plug.status in ("Faulted", "Unavailable")
        return self._frame(frames.HEARTBEAT, self._gun(plug) + bytes((fault,)))

    def state(self, plug: VirtualPlug) -> bytes:
        """Message 13."""
        status, plugged = STATES[plug.status]
        trade, meter_start, _ = self._trades.get(plug.connector, ("0" * 32, plug.energy_wh, 0))
        volts, amps = (VOLTS, plug.power_w / VOLTS) if plug.charging else (0.0, 0.0)
        energy = round((plug.energy_wh - meter_start) * 10)
        body = bytes.fromhex(trade) + self._gun(plug) + bytes((status, 1 - plugged, plugged))
        body += round(volts * 10).to_bytes(2, "little") + round(amps * 10).to_bytes(2, "little") + bytes(1 + 8 + 1 + 1)
        body += bytes(4) + energy.to_bytes(4, "little") + bytes(4 + 4)
        return self._frame(frames.REALTIME, body + (1 if status == 1 else 0).to_bytes(2, "little"))

    def _record(self, plug: VirtualPlug, trade: str, meter_start: float, started_at: Millis) -> bytes:
        start, stop = round(meter_start * 10), round(plug.energy_wh * 10)
        body = (
            bytes.fromhex(trade) + self._gun(plug) + frames.time_of(started_at) + frames.time_of(now_ms()) + bytes(64)
        )
        body += start.to_bytes(5, "little") + stop.to_bytes(5, "little") + (stop - start).to_bytes(4, "little")
        return body + bytes(4 + 4) + b"VIN-OF-SOMEBODY-1" + b"\1" + frames.time_of(now_ms()) + b"\x41" + b"CARDCARD"

    def _gun(self, plug: VirtualPlug) -> bytes:
        return bytes.fromhex(self.number) + frames.to_bcd(plug.connector)

    def _frame(self, kind: int, body: bytes) -> bytes:
        self._sequence = self._sequence % 0xFFFF + 1
        frame = frames.build(kind, self._sequence.to_bytes(2, "little"), body)
        return frame[:-2] + crc16_modbus(frame[2:-2]).to_bytes(2, "big") if self.high_first else frame

    # ---- what it hears ----

    def heard(self, data: bytes) -> bytes:
        return b"".join(self._taken(frames.parse(raw)) for raw in self.reader.feed(data))

    def _taken(self, frame: YkcFrame) -> bytes:
        self.answers[frame.kind] += 1
        if frame.kind == frames.SET_TIME:
            self.clock = frames.time_in(frame.body[7:14])
            return self._frame(0x55, frame.body)
        if frame.kind == frames.READ_REALTIME:
            return b"".join(self.state(plug) for plug in self.plugs if frames.to_bcd(plug.connector) == frame.body[7:8])
        if frame.kind == frames.RECORD_ANSWER and not self.deaf:
            done = frame.body[:16].hex()
            energies = {trade: int.from_bytes(body[112:116], "little") / 10 for trade, body in self.records}
            self.confirmed |= {trade: energy for trade, energy in energies.items() if trade == done}
            self.records = deque(record for record in self.records if record[0] != done)
        return b""


class YkcPileThread(threading.Thread):
    """The pile on a real line to `address`, again and again, until `stop`."""

    def __init__(self, pile: VirtualYkcPile, address: tuple[str, int], stop: threading.Event) -> None:
        super().__init__(name=f"pile-{pile.number[-6:]}", daemon=True)
        self.pile, self._address, self._stop_event = pile, address, stop

    def run(self) -> None:
        while not self._stop_event.is_set():
            try:
                with socket.create_connection(self._address, 10) as line:
                    self._talk(line)
            except OSError:
                self._stop_event.wait(0.5)

    def _talk(self, line: socket.socket) -> None:
        line.settimeout(0.1)
        line.sendall(self.pile.dialled(monotonic_s()))
        while not self._stop_event.is_set():
            try:
                data = line.recv(4_096)
                if not data:
                    return
                reply = self.pile.heard(data)
            except TimeoutError:
                reply = b""
            if said := reply + self.pile.tick(monotonic_s()):
                line.sendall(said)
