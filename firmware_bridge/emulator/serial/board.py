"""A board with our own firmware: the reference MicroPython link itself, run on this machine."""

import importlib.util
from pathlib import Path
from typing import Any

FIRMWARE = Path(__file__).parents[2] / "firmware" / "micropython" / "yizhan.py"


def load_firmware() -> Any:
    """The MicroPython module, as a board would import it, but impatient, so that tests with faults end soon."""
    spec = importlib.util.spec_from_file_location("yizhan_board", FIRMWARE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(FIRMWARE)
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.RESEND_MS = 60
    module.RESEND_MAX_MS = 120
    return module


class Board:
    """A machine for a `Cable`: counts up as a people counter, one message after the other.

    `confirmed` holds the counts that the bridge has acknowledged; `limit` ends the counting.
    """

    def __init__(self, device: str, limit: int = 1 << 30) -> None:
        self._firmware = load_firmware()
        self._out = bytearray()
        self._now_ms = 0
        self.limit, self.count = limit, 0
        self.confirmed: list[int] = []
        self._pending: list[int] = []
        self.link: Any = self._firmware.Link(device, "board-1", self._out.extend, lambda: self._now_ms)

    def hear(self, data: bytes, now_s: float) -> bytes:
        self._now_ms = int(now_s * 1000)
        before = self.link.confirmed
        self.link.hear(data)
        told = self.link.confirmed - before
        greeting = 1 if before == 0 and told else 0
        for _ in range(told - greeting):
            self.confirmed.append(self._pending.pop(0))
        return self._said()

    def tick(self, now_s: float) -> bytes:
        self._now_ms = int(now_s * 1000)
        if self.link.idle() and self.count < self.limit:
            self.count += 1
            self._pending.append(self.count)
            self.link.state(n=self.count)
        self.link.tick()
        return self._said()

    def _said(self) -> bytes:
        said, self._out[:] = bytes(self._out), b""
        return said
