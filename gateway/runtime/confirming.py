"""When devices are told what they may forget: after our commit, or with `uplink.confirm: centre` after the centre's."""

from collections import deque
from collections.abc import Callable, Sequence

MOST = 256
"""Commits whose watermarks wait one by one; beyond it the newest two wait together."""

Watermark = tuple[str, bytes]


class Confirming:
    """`upto`, where watermarks wait for the centre, is the last batch of our journal that it has."""

    def __init__(self, publish: Callable[[Sequence[Watermark]], None]) -> None:
        self._publish = publish
        self._held: deque[tuple[int, dict[str, bytes]]] = deque()
        self.upto: Callable[[], int] | None = None

    def put(self, number: int, watermarks: Sequence[Watermark]) -> None:
        """These are true once all up to batch `number` is where it shall be; here it is."""
        if self.upto is None:
            self._publish(watermarks)
        elif watermarks and len(self._held) >= MOST:
            _, earlier = self._held.pop()
            self._held.append((number, earlier | dict(watermarks)))
        elif watermarks:
            self._held.append((number, dict(watermarks)))

    def tell(self) -> None:
        """What has waited, and is true now."""
        if not self._held or self.upto is None:
            return
        told: dict[str, bytes] = {}
        upto = self.upto()
        while self._held and self._held[0][0] <= upto:
            told |= self._held.popleft()[1]
        self._publish(list(told.items()))
