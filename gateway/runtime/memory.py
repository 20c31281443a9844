"""The live state over a restart: kept in parts, each true after some batch; the journal replays what came later.

A part is a fixed share of the devices. Parts are kept in turn while the gateway works, so none of them needs a pause,
and each device remembers after which batch it was kept: replaying from the oldest part applies no message twice.
"""

from collections.abc import Iterable
from hashlib import blake2b

from gateway.live import Device, Live
from gateway.live.places import NOWHERE
from gateway.model import Millis
from gateway.runtime.kept_part import KeptPart, encode_part, row_of

DEVICES_A_PART = 256


class Memory:
    """Which device is in which part, and the writing of parts."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.taken_over = False  # at this start, from shards that are no more
        devices = list(live.devices.values())
        size = DEVICES_A_PART
        self.parts = [devices[start : start + size] for start in range(0, max(1, len(devices)), size)]
        spoken_for = {device.station for device in devices}
        self._others = [station for name, station in live.stations.items() if name not in spoken_for]
        for number, part in enumerate(self.parts):
            for device in part:
                device.part = number
        self.dirty = set(range(len(self.parts)))
        names = "\n".join(f"{device.station}/{device.id}" for device in devices)
        self.layout = blake2b(f"{size}\n{names}".encode(), digest_size=16).digest()  # which device is in which part

    def follow(self, came: Iterable[Device], went: Iterable[Device], unlike: Iterable[Device]) -> list[int]:
        """The configuration has other devices now, and others feed what they have not fed before.

        Nobody else moves. The parts that must be kept with the next commit: what the store has of them is another's.
        """
        parts, due = self.parts, {device.part for device in unlike}
        for device in went:
            parts[device.part].remove(device)
            self.dirty.add(device.part)
            device.part = NOWHERE
        room = [number for number, part in enumerate(parts) if len(part) < DEVICES_A_PART]
        for device in came:
            if not room:
                room.append(len(parts))
                parts.append([])
            device.part = room[-1]
            parts[device.part].append(device)
            due.add(device.part)
            if len(parts[device.part]) == DEVICES_A_PART:
                room.pop()
        return sorted(due)

    def dump(self, part: int, now: Millis) -> bytes:
        """The part as it is now; true after the last batch that was handed to the writer."""
        self.dirty.discard(part)
        devices = self.parts[part]
        stations = [self._live.stations[name] for name in dict.fromkeys(device.station for device in devices)]
        stations += self._others if part == 0 else []  # they live by people alone
        promises = [(station.id, now, station.promise.kept()) for station in stations]
        boxes = self._live.boxes.dump() if part == 0 else []
        return encode_part(KeptPart([row_of(device) for device in devices], promises, boxes))
