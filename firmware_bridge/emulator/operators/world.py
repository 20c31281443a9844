"""The connectors of a made-up operator: cars come, charge and go. No I/O, no clock: time is told."""

import threading
from collections.abc import Iterable
from random import Random

from firmware_bridge.emulator.ocpp.plugs import VirtualPlug
from gateway.model import Millis


class OperatedPlugs:
    """`status(name)` is a word of OCPP 1.6 and `changed_at(name)` since when. Any thread.

    `speed` is how much faster the world runs than the clock; 0 lets nothing happen but what is `set`.
    """

    def __init__(self, names: Iterable[str], began: Millis, *, seed: int = 0, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._speed, self._began = speed, began
        rng = Random(seed)  # noqa: S311
        self._plugs = {
            name: VirtualPlug(number, rng, 0.0, next_at=rng.uniform(0, 900)) for number, name in enumerate(names, 1)
        }
        self._set: dict[str, str] = {}
        self._changed = dict.fromkeys(self._plugs, began)

    @property
    def names(self) -> list[str]:
        return list(self._plugs)

    def status(self, name: str) -> str:
        return self._set.get(name, self._plugs[name].status)

    def changed_at(self, name: str) -> Millis:
        return self._changed[name]

    def set(self, name: str, status: str, at: Millis) -> None:
        """By hand, and it stays; words of a protocol's own are fine."""
        with self._lock:
            self._set[name], self._changed[name] = status, at

    def advance(self, now: Millis) -> list[str]:
        """The names of those whose status has changed."""
        with self._lock:
            before = {name: self.status(name) for name in self._plugs}
            for plug in self._plugs.values():
                for _ in plug.advance((now - self._began) / 1000 * self._speed):
                    pass
            changed = [name for name, status in before.items() if self.status(name) != status]
            self._changed |= dict.fromkeys(changed, now)
        return changed
