"""What an operator says of his connectors, and what may be told of it. No I/O, no clock.

A word is told when the operator has just given or confirmed it, and never once its own time is older than `stale_ms`:
what nobody confirms goes stale at the gateway by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from firmware_bridge.devices.base import DeviceReading
from gateway.model import Millis, Signal

UNKNOWN = "Unknown"
AGAIN_MS = 25_000  # what is confirmed again is told again, but not more often
AHEAD_MS = 300_000  # a time further in the future is none


@dataclass(frozen=True, slots=True)
class OperatorWord:
    """What the operator says of one connector: `status` in the words of OCPP 1.6 or `Unknown`, `error` his own word for
    a fault.

    `changed_at` is by the operator's clock; None where he gives no time.
    """

    key: str
    status: str
    error: str = ""
    changed_at: Millis | None = None


@dataclass(slots=True)
class _Row:
    devices: tuple[str, ...]
    word: OperatorWord | None = None
    as_of: Millis = 0  # by our clock: when its word held
    heard_at: Millis = 0
    told_at: Millis = -AGAIN_MS
    told: dict[str, Signal] = field(default_factory=dict)


class WordBook:
    """`devices` are those of each key: an EVSE may have several connectors."""

    def __init__(self, devices: Mapping[str, Sequence[str]], stale_ms: Millis) -> None:
        self._rows = {key: _Row(tuple(names)) for key, names in devices.items()}
        self._stale_ms = stale_ms

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._rows)

    def take(self, word: OperatorWord, now: Millis, as_of: Millis | None = None) -> None:
        """`as_of`: when it held at the earliest, by our clock; now unless said. One that is older than what is known,
        by the operator's own clock or, where he gives no time, by ours, only says that he is there.
        """
        row = self._rows.get(word.key)
        if row is None:
            return
        if word.changed_at is not None and word.changed_at > now + AHEAD_MS:
            word = OperatorWord(word.key, word.status, word.error)
        row.heard_at = now
        as_of = now if as_of is None else as_of
        known = row.word.changed_at if row.word is not None else None
        dated = known is not None and word.changed_at is not None
        if (word.changed_at or 0) >= (known or 0) if dated else as_of >= min(row.as_of, now):
            row.word, row.as_of = word, as_of

    def touch(self, key: str, changed_at: Millis | None, now: Millis) -> None:
        """Something of the connector was renewed, but not its status: what is known of it holds."""
        row = self._rows.get(key)
        if row is not None and row.word is not None:
            self.take(OperatorWord(key, row.word.status, row.word.error, changed_at), now)

    def confirm(self, now: Millis) -> None:
        """The operator has said what is new: all else is as before."""
        for row in self._rows.values():
            row.heard_at = now

    def forget(self, keys: Iterable[str]) -> list[str]:
        """He knows nothing of these any more; the devices of which something was known."""
        gone: list[str] = []
        for row in (self._rows[key] for key in keys if key in self._rows):
            if row.word is not None:
                gone += row.devices
            row.word, row.told = None, {}
        return gone

    def is_stale(self, word: OperatorWord, now: Millis) -> bool:
        return word.changed_at is not None and now - word.changed_at > self._stale_ms

    def stale(self, now: Millis) -> dict[str, OperatorWord]:
        """The devices of which the operator's last word is too old to be shown."""
        return {
            device: row.word
            for row in self._rows.values()
            if row.word is not None and self.is_stale(row.word, now)
            for device in row.devices
        }

    def unheard(self) -> list[str]:
        """Devices of which he has said nothing yet."""
        return [device for row in self._rows.values() if row.word is None for device in row.devices]

    def live(self, now: Millis) -> list[str]:
        """Devices of which something is known that may be shown."""
        return [
            device
            for row in self._rows.values()
            if row.word is not None and not self.is_stale(row.word, now)
            for device in row.devices
        ]

    def news(self, now: Millis) -> list[DeviceReading]:
        """What has changed or was confirmed since it was told; it counts as told."""
        readings: list[DeviceReading] = []
        for row in self._rows.values():
            if row.word is None or self.is_stale(row.word, now):
                continue
            signals: dict[str, Signal] = {"status": row.word.status, "error": row.word.error}
            again = row.heard_at > row.told_at and not 0 <= now - row.told_at < AGAIN_MS
            if signals != row.told or again:
                row.told, row.told_at = signals, now
                readings += [DeviceReading(device, dict(signals)) for device in row.devices]
        return readings

    def untold(self, readings: Iterable[DeviceReading]) -> None:
        """These could not be kept."""
        devices = {reading.device for reading in readings}
        for row in self._rows.values():
            if devices.intersection(row.devices):
                row.told = {}
