"""What devices are told: up to which of their messages everything is durable, on `yz-ack/{station}/{device}`."""

import heapq
from collections.abc import Iterable, Iterator

import msgspec

from gateway.evidence.boxes import BoxLink
from gateway.live import Device
from gateway.live.places import NOWHERE

GAP_S = 1.25  # never more than one a second for a device, though the broker is slower with one than with the next
A_TURN = 5_000  # so that 100,000 devices that came at once are told in twenty steps, not in one pause

_encode = msgspec.json.Encoder().encode


class Watermarks:
    """Devices in the order in which they are due. Moments are of the steady clock, in seconds.

    Who hears a device sets its `owed` and hands it in once; it is taken back when the device is told.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._heap: list[tuple[float, int, list[Device], bool]] = []
        self._soon: set[Device] = set()  # who stands in a list that is not that of the interval: in one at most
        self._telling: list[Device] = []
        self._count = 0

    def heard(self, devices: list[Device], moment: float) -> None:
        """Their watermark may have moved; they are told after the interval."""
        if devices:
            self._put(moment + self._interval_s, devices, soon=False)

    def again(self, devices: Iterable[Device], moment: float) -> None:
        """What they were told may have been lost: they are told once more, as soon as may be."""
        lost = [device for device in devices if device.seen.boot is not None]
        for device in lost:
            device.told_boot, device.owed = None, True
        self._put_soon(moment, lost)

    def due(self, moment: float) -> bool:
        return bool(self._heap) and self._heap[0][0] <= moment

    def take(self, moment: float) -> list[tuple[str, bytes]]:
        """Topics and payloads of those that are due; to be sent when all that was heard so far is durable."""
        said: list[tuple[str, bytes]] = []
        early: list[Device] = []
        while self.due(moment) and len(said) < A_TURN:
            at, _, devices, soon = heapq.heappop(self._heap)
            if len(devices) > A_TURN:
                self._put(at, devices[A_TURN:], soon=soon)
                del devices[A_TURN:]
            if soon:
                self._soon.difference_update(devices)
            said += self._say(devices, moment, early)
        self._put_soon(moment + GAP_S, early)
        return said

    def sent(self, moment: float) -> None:
        """What was last taken is on its way: the commit between may have been slow."""
        for device in self._telling:
            device.told_at = moment
        self._telling.clear()

    def last(self, moment: float) -> list[tuple[str, bytes]]:
        """Those of everybody who is owed one, at the end."""
        owed = [device for _, _, devices, _ in self._heap for device in devices]
        self._heap.clear()
        return list(self._say(owed, moment + GAP_S, []))

    def _put(self, at: float, devices: list[Device], *, soon: bool) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, devices, soon))

    def _put_soon(self, at: float, devices: Iterable[Device]) -> None:
        """A device that connects again and again is queued once."""
        fresh = [device for device in dict.fromkeys(devices) if device not in self._soon]
        if fresh:
            self._soon.update(fresh)
            self._put(at, fresh, soon=True)

    def _say(self, devices: Iterable[Device], moment: float, early: list[Device]) -> Iterator[tuple[str, bytes]]:
        """Those told too short a while ago go into `early`."""
        for device in devices:
            if moment - device.told_at < GAP_S:
                early.append(device)
                continue
            device.owed = False
            if device.part == NOWHERE:  # nobody waits for it any more
                continue
            boot, upto = device.seen.boot, device.seen.upto()
            if upto is None or boot is None or (upto == device.told_upto and boot == device.told_boot):
                continue
            device.told_boot, device.told_upto, device.told_at = boot, upto, moment
            self._telling.append(device)
            yield f"yz-ack/{device.station}/{device.id}", b'{"boot":%b,"upto":%d}' % (_encode(boot), upto)


def of_boxes(links: Iterable[BoxLink]) -> list[tuple[str, bytes]]:
    """What boxes are told: up to which of the numbers of their newest journal everything is durable here."""
    told = [(link, link.told()) for link in links]
    return [
        (f"yz-ack/{link.station}/{link.box}", b'{"boot":%b,"upto":%d}' % (_encode(word[0]), word[1]))
        for link, word in told
        if word is not None
    ]
