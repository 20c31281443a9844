"""Which devices answer. A device is online from its first word, and offline after a silence or with its port.

Times here are of the monotonic clock, in ms: a wall clock that is set must take nobody offline.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.base.clock import monotonic_s
from gateway.model import Millis


def steady_ms() -> Millis:
    """The time that this room goes by."""
    return round(monotonic_s() * 1000)


@dataclass(slots=True)
class _Seen:
    """`online` is None for a device that was configured and never heard."""

    until: Millis
    online: bool | None


class Presence:
    """Bus threads tell, the publisher asks. `changed` holds what the broker has not been told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._changed: set[str] = set()
        self._going: set[str] = set()

    def expect(self, devices: Iterable[str], now: Millis, silent_ms: Millis) -> None:
        """They should be heard soon; else they are offline, whatever an earlier run has left at the broker."""
        with self._lock:
            self._going.difference_update(devices)
            self._seen |= {device: _Seen(now + silent_ms, None) for device in devices if device not in self._seen}

    def forget(self, devices: Iterable[str]) -> None:
        """They are no longer configured: the last that is told of them is that they are gone."""
        with self._lock:
            for device in devices:
                self._down(device)
                self._going.add(device)

    def gone(self) -> list[str]:
        """Those of whom that has been told; of them nothing is known any more."""
        with self._lock:
            told = [device for device in self._going if device not in self._changed]
            for device in told:
                self._going.discard(device)
                self._seen.pop(device, None)
        return told

    def heard(self, devices: Iterable[str], now: Millis, silent_ms: Millis) -> bool:
        """True when one of them was not online before."""
        with self._lock:
            news = False
            for device in devices:
                seen = self._seen.get(device)
                if seen is None or not seen.online:
                    self._changed.add(device)
                    news = True
                self._seen[device] = _Seen(now + silent_ms, True)
            return news

    def lost(self, devices: Iterable[str]) -> None:
        """Their port is gone."""
        with self._lock:
            for device in devices:
                self._down(device)

    def tick(self, now: Millis) -> None:
        """Let the silent ones go."""
        with self._lock:
            for device, seen in self._seen.items():
                if now >= seen.until:
                    self._down(device)

    def _down(self, device: str) -> None:
        seen = self._seen.get(device)
        if seen is not None and seen.online is not False:
            seen.online = False
            self._changed.add(device)

    def take_changed(self) -> dict[str, bool]:
        """Device → online, each change once."""
        with self._lock:
            changed = {device: self._seen[device].online is True for device in self._changed}
            self._changed.clear()
        return changed

    def tell_again(self, device: str) -> None:
        """It could not be told."""
        with self._lock:
            self._changed.add(device)

    def again(self) -> None:
        """The broker may have forgotten: tell everything again."""
        with self._lock:
            self._changed.update(device for device, seen in self._seen.items() if seen.online is not None)

    def online(self) -> list[str]:
        with self._lock:
            return [device for device, seen in self._seen.items() if seen.online]
