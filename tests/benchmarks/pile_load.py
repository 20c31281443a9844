"""Many charge points of OCPP 1.6 in one process, as light as can be, each with one call under way at most.

    python -m tests.benchmarks.pile_load ADDRESS PILES DIAL_S SECONDS STATUS_S METER_S CHARGING CA SESSION_S PATIENCE_S

Every pile tells a status each STATUS_S; CHARGING of a hundred tell meter values each METER_S, and each SESSION_S the
end of a transaction and the start of the next. They dial within DIAL_S; who is not in after PATIENCE_S (by default 600)
gives up and dials again one to five seconds later. `ready` is said when all are in, and after `go` on stdin SECONDS are
measured. Then a JSON follows: how long answers took, in ms, and how many dials were given up. CA: who signed the
certificate, or `-`.
"""

import asyncio
import base64
import json
import os
import random
import ssl
import sys
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from firmware_bridge.ocpp.tls import TlsPipe, client_context

WARM_S = 5.0


class LoadPile(asyncio.Protocol):
    def __init__(self, name: str, load: "PileLoad", charging: bool) -> None:
        self.name, self._load, self._charging = name, load, charging
        self._tls = TlsPipe(load.tls, load.host) if load.tls is not None else None
        self._heard = bytearray()
        self._queue: deque[tuple[str, dict[str, Any]]] = deque()
        self._asked: tuple[str, float] | None = None
        self._number, self._meter, self._transaction = 0, 1_000, 0
        self._step = self.open = False
        self.ended = asyncio.Event()  # in, or the connection has gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        if self._tls is None:
            self._greet()
        else:
            self.data_received(b"")

    def _greet(self) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(
            f"GET {self._load.path}/{self.name} HTTP/1.1\r\nHost: {self._load.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )

    def _write(self, data: bytes) -> None:
        self._transport.write(data if self._tls is None else self._tls.sealed(data))

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            shaken = self._tls.shaken
            data = self._tls.opened(data)
            if pending := self._tls.pending():
                self._transport.write(pending)
            if not shaken and self._tls.shaken:
                self._greet()
        self._heard += data
        if not self.open and b"\r\n\r\n" in self._heard:
            head, _, rest = bytes(self._heard).partition(b"\r\n\r\n")
            if b" 101 " not in head:
                raise ConnectionError(head)
            self._heard, self.open = bytearray(rest), True
            self.ended.set()
            self._load.opened(self)
        while self.open and (frame := self._frame()) is not None:
            self._take(frame)

    def _frame(self) -> bytes | None:
        heard = self._heard
        if len(heard) < 2:
            return None
        size, at = heard[1], 2
        if size == 126:
            size, at = int.from_bytes(heard[2:4], "big"), 4
        if len(heard) < at + size:
            return None
        body = bytes(heard[at : at + size]) if heard[0] & 15 == 1 else b""
        if heard[0] & 15 == 9:
            self._write(b"\x8a\x80\0\0\0\0")
        del heard[: at + size]
        return body

    def _take(self, body: bytes) -> None:
        if not body:
            return
        message = json.loads(body)
        if message[0] == 2:
            self._say([4, message[1], "NotSupported", "", {}])
        elif self._asked is not None and message[1] == self._asked[0]:
            took = (monotonic() - self._asked[1]) * 1000
            (self._load.took_steps if self._step else self._load.took).append(took)
            if message[0] == 3 and "transactionId" in message[2]:
                self._transaction = message[2]["transactionId"]
            self._asked = None
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost += self.open
        self.ended.set()

    def give_up(self) -> None:
        self._transport.abort()

    def _say(self, message: list[Any]) -> None:
        text = json.dumps(message).encode()
        size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
        self._write(b"\x81" + size + b"\0\0\0\0" + text)

    # ---- what happens there ----

    def live(self) -> None:
        rng, loop = random.Random(self.name), self._load.loop
        loop.call_later(rng.uniform(0, self._load.status_s), self._status)
        if self._charging:
            loop.call_later(rng.uniform(0, self._load.meter_s), self._meters)
            loop.call_later(rng.uniform(0, self._load.session_s), self._session)

    def _status(self) -> None:
        word = "Charging" if self._charging else "Available"
        self.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": word})
        self._load.loop.call_later(self._load.status_s, self._status)

    def _meters(self) -> None:
        self._meter += 20
        values = [
            {"value": str(self._meter), "unit": "Wh"},
            {"value": "7200", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        taken = {"timestamp": _utc(), "sampledValue": values}
        self.call("MeterValues", {"connectorId": 1, "transactionId": self._transaction, "meterValue": [taken]})
        self._load.loop.call_later(self._load.meter_s, self._meters)

    def _session(self) -> None:
        if self._transaction:
            ended = {"transactionId": self._transaction, "meterStop": self._meter, "timestamp": _utc()}
            self.call("StopTransaction", ended)
        begun = {"connectorId": 1, "idTag": "LOAD0001", "meterStart": self._meter, "timestamp": _utc()}
        self.call("StartTransaction", begun)
        self._load.loop.call_later(self._load.session_s, self._session)

    def call(self, action: str, payload: dict[str, Any]) -> None:
        self._queue.append((action, payload))
        if self._asked is None:
            self._next()

    def _next(self) -> None:
        if self._queue:
            action, payload = self._queue.popleft()
            self._number, self._step = self._number + 1, action.endswith("Transaction")
            self._asked = str(self._number), monotonic()
            self._say([2, self._asked[0], action, payload])


def _utc() -> str:
    return datetime.now(UTC).isoformat()


class PileLoad:
    def __init__(self, address: str, status_s: float, meter_s: float, session_s: float, ca: str) -> None:
        split = urlsplit(address)
        self.host, self.port, self.path = split.hostname or "", split.port or 0, split.path
        self.tls: ssl.SSLContext | None = client_context(Path(ca)) if split.scheme == "wss" else None
        self.status_s, self.meter_s, self.session_s = status_s, meter_s, session_s
        self.loop = asyncio.get_running_loop()
        self.took: list[float] = []
        self.took_steps: list[float] = []  # of starts and ends, which are on disk before they are answered
        self.lost = self.given_up = 0
        self._opened: list[LoadPile] = []
        self._count, self._all = 0, asyncio.Event()

    def opened(self, pile: LoadPile) -> None:
        self._opened.append(pile)
        if len(self._opened) == self._count:
            self._all.set()
        pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})

    async def dial(self, count: int, within_s: float, charging: int, patience_s: float) -> None:
        self._count = count
        dialling = []
        for number in range(count):
            dialling.append(self.loop.create_task(self._dial(number, number % 100 < charging, patience_s)))
            await asyncio.sleep(within_s / count)
        await self._all.wait()

    async def _dial(self, number: int, charging: bool, patience_s: float) -> None:
        while True:
            made = LoadPile(f"CP{number:05d}", self, charging)
            try:
                async with asyncio.timeout(patience_s):
                    await self.loop.create_connection(lambda made=made: made, self.host, self.port)  # type: ignore[misc]
                    await made.ended.wait()
            except (TimeoutError, OSError):
                pass
            if made.open:
                return
            self.given_up += 1
            made.give_up()
            await asyncio.sleep(random.uniform(1, 5))

    async def measure(self, seconds: float) -> dict[str, float]:
        for pile in self._opened:
            pile.live()
        await asyncio.sleep(WARM_S)
        self.took.clear()
        self.took_steps.clear()
        await asyncio.sleep(seconds)
        told: dict[str, float] = {"answers": len(self.took), "lost": self.lost, "given_up": self.given_up}
        for name, times in (("", self.took), ("steps_", self.took_steps)):
            took = sorted(times) or [0.0]
            told |= {f"{name}p50_ms": took[len(took) // 2], f"{name}p99_ms": took[len(took) * 99 // 100]}
        return {name: round(value, 2) for name, value in told.items()}


async def main(address: str, count: int, numbers: list[float], charging: int, ca: str) -> None:
    dial_s, seconds, status_s, meter_s, session_s, patience_s = numbers
    load = PileLoad(address, status_s, meter_s, session_s, ca)
    await load.dial(count, dial_s, charging, patience_s)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await load.measure(seconds)), flush=True)


if __name__ == "__main__":
    words = [*sys.argv[1:], "600"]
    asyncio.run(
        main(words[0], int(words[1]), [float(word) for word in (*words[2:6], *words[8:10])], int(words[6]), words[7])
    )
