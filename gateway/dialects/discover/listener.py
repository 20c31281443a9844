"""The one who listens: takes every message of the broker, and keeps what it learns of devices, within bounds."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from gateway.dialects import DIALECTS, Overheard, Unreadable, ear, senml, topics_of, zigbee2mqtt
from gateway.dialects.base import read_object
from gateway.dialects.discover.findings import Finding, Judged, finding_of, judged
from gateway.dialects.discover.overheard import OverheardDevice
from gateway.dialects.shared import lorawan
from gateway.model import Millis

LIMIT: Final = 5_000  # devices kept; a flood of topics must not fill the memory
SAMPLES_BYTES: Final = 16_000_000  # messages kept of all of them
LISTEN_TO: Final = ("#",)

_GUESSES: Final = {name.key: name.fact for name in (*zigbee2mqtt.NAMES, *senml.NAMES, *lorawan.NAMES)} | {
    "free": "free", "status": "status", "ready": "ready", "power_w": "power_w", "battery_pct": "battery_pct",
}  # fmt: skip
# Devices of ours come first; what is guessed from plain JSON comes last.
_ORDER: Final = tuple(sorted(DIALECTS, key=lambda dialect: (dialect == "json", dialect != "native", dialect)))
_BROKEN: Final = "\ufffd"  # where a topic was no text


class DiscoveryListener:
    """Takes every message of the broker, keeps what it learns of devices. Never raises."""

    def __init__(
        self, devices: int = LIMIT, samples_bytes: int = SAMPLES_BYTES, known: frozenset[str] = frozenset()
    ) -> None:
        """`known`: topics of devices that nobody looks for (as in `Finding.topic`, or above it)."""
        self._devices: dict[tuple[str, str], OverheardDevice] = {}
        self._most_devices, self._room, self._known = devices, samples_bytes, known
        self._findings: dict[tuple[str, str], tuple[int, Judged]] = {}  # with the number of messages then
        self._described: dict[str, list[OverheardDevice]] = {}  # topic → those that have said that they speak there
        self._ears = {dialect: ear(dialect) for dialect in _ORDER}
        self._taken = tuple(topic for dialect in DIALECTS for topic in topics_of(dialect))

    def __len__(self) -> int:
        return len(self._devices)

    def hear(self, topic: str, payload: bytes, now: Millis = 0) -> None:
        """One message, retained or not."""
        if topic.startswith(("yz-", "$")) or _BROKEN in topic or not payload:
            return
        for device in self._described.get(topic, ()):
            device.messages, device.heard_at = device.messages + 1, now
            self._room -= device.keep((topic,), topic, payload, self._room)
        try:
            dialect, heard, paths = self._listen(topic, payload)
        except Unreadable:
            return
        if heard is not None and not any(spoken.startswith("yz-") for spoken in heard.speaks_on):
            self._note(dialect, heard, paths, topic, payload, now)

    def _listen(self, topic: str, payload: bytes) -> tuple[str, Overheard | None, dict[str, str]]:
        for dialect, listen in self._ears.items():
            heard = listen(topic, payload)
            if heard is not None:
                return dialect, heard, {}
        paths = dict(_guesses(read_object(payload)))
        return "json", Overheard(topic, tuple(paths)) if paths else None, paths

    def _note(
        self, dialect: str, heard: Overheard, paths: dict[str, str], topic: str, payload: bytes, now: Millis
    ) -> None:
        device = self._devices.get((dialect, heard.topic))
        if device is None:
            if len(self._devices) >= self._most_devices or (self._known and _below(heard.topic, self._known)):
                return
            device = self._devices[dialect, heard.topic] = OverheardDevice(dialect, heard, paths)
            for spoken in heard.speaks_on:
                self._described.setdefault(spoken, []).append(device)
        device.learn(heard, paths)
        device.messages, device.heard_at = device.messages + 1, now
        if heard.facts:
            self._room -= device.keep(heard.facts, topic, payload, self._room)

    def findings(self, taken: Iterable[str] = ()) -> list[Finding]:
        """What was heard so far, dialect by dialect; a device that several dialects know is listed in its own.

        `taken` are ids that no line may have; no two lines have the same.
        """
        own = {topic for dialect, topic in self._devices if dialect not in ("homeassistant", "json")}
        announced = {
            topic
            for (dialect, _), device in self._devices.items()
            if dialect == "homeassistant"
            for topic in device.heard.speaks_on
        }
        kept = [
            device
            for (dialect, topic), device in self._devices.items()
            if not (dialect == "json" and (topic in announced or topic.startswith(self._taken) or _below(topic, own)))
            and not any(_below(spoken, own) for spoken in device.heard.speaks_on)
        ]
        kept.sort(key=lambda device: (_ORDER.index(device.dialect), device.heard.topic))
        ids = set(taken)
        return [finding_of(device, self._judged(device), ids) for device in kept]

    def _judged(self, device: OverheardDevice) -> Judged:
        """Its lines, tried; again only after it has spoken."""
        key = device.dialect, device.heard.topic
        before = self._findings.get(key)
        if before is None or before[0] != device.messages:
            before = self._findings[key] = device.messages, judged(device)
        return before[1]


def _below(topic: str, bases: AbstractSet[str]) -> bool:
    steps = topic.split("/")
    return any("/".join(steps[:depth]) in bases for depth in range(1, len(steps) + 1))


def _guesses(body: dict[str, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(fact, path) of leaves with telling names."""
    for key, value in body.items():
        step = f"'{key}'" if "." in key else key
        if isinstance(value, dict) and depth < 4:
            yield from _guesses(value, f"{prefix}{step}.", depth + 1)
        elif key in _GUESSES and "'" not in key and isinstance(value, bool | str | int | float):
            yield _GUESSES[key], f"{prefix}{step}"
