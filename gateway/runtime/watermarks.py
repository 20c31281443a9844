"""What devices are told: up to which of their messages everything is durable, on `yz-ack/{station}/{device}`."""

import heapq
from collections.abc import Iterable, Iterator

import msgspec

from gateway.live import Device

GAP_S = 1.25  # never more than one a second for a device, though one commit is slower than the next
A_TURN = 5_000  # so that 100,000 devices that came at once are told in twenty steps, not in one pause

_encode = msgspec.json.Encoder().encode


class Watermarks:
    """Devices in the order in which they are due. Moments are of the steady clock, in seconds.

    Who hears a device sets its `owed` and hands it in once; it is taken back when the device is told.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._heap: list[tuple[float, int, list[Device]]] = []
        self._count = 0

    def heard(self, devices: list[Device], moment: float) -> None:
        """Their watermark may have moved; they are told after the interval."""
        if devices:
            self._put(moment + self._interval_s, devices)

    def again(self, devices: Iterable[Device], moment: float) -> None:
        """What they were told may have been lost: they are told once more, as soon as may be."""
        lost = [device for device in devices if device.seen.boot is not None]
        for device in lost:
            device.told_boot, device.owed = None, True
        if lost:
            self._put(moment, lost)

    def due(self, moment: float) -> bool:
        return bool(self._heap) and self._heap[0][0] <= moment

    def take(self, moment: float) -> list[tuple[str, bytes]]:
        """Topics and payloads of those that are due; to be sent when all that was heard so far is durable."""
        said: list[tuple[str, bytes]] = []
        early: list[Device] = []
        while self.due(moment) and len(said) < A_TURN:
            at, _, devices = heapq.heappop(self._heap)
            if len(devices) > A_TURN:
                self._put(at, devices[A_TURN:])
                del devices[A_TURN:]
            said += self._say(devices, moment, early)
        if early:
            self._put(moment + GAP_S, early)
        return said

    def last(self, moment: float) -> list[tuple[str, bytes]]:
        """Those of everybody who is owed one, at the end."""
        owed = [device for _, _, devices in self._heap for device in devices]
        self._heap.clear()
        return list(self._say(owed, moment + GAP_S, []))

    def _put(self, at: float, devices: list[Device]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, devices))

    @staticmethod
    def _say(devices: Iterable[Device], moment: float, early: list[Device]) -> Iterator[tuple[str, bytes]]:
        """Those told too short a while ago go into `early`."""
        for device in devices:
            if moment - device.told_at < GAP_S:
                early.append(device)
                continue
            device.owed = False
            boot, upto = device.seen.boot, device.seen.upto()
            if upto is None or boot is None or (upto == device.told_upto and boot == device.told_boot):
                continue
            device.told_boot, device.told_upto, device.told_at = boot, upto, moment
            yield f"yz-ack/{device.station}/{device.id}", b'{"boot":%b,"upto":%d}' % (_encode(boot), upto)
