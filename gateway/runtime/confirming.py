"""With `uplink.confirm: centre` a device may forget a message only when the centre has it, too."""

from collections import deque
from collections.abc import Callable, Sequence

MOST = 256
"""Commits whose watermarks wait one by one; beyond it the newest two wait together."""

Watermark = tuple[str, bytes]


class Confirming:
    """Holds back what devices are told. `upto` is the last batch of our journal that the centre has."""

    def __init__(self, upto: Callable[[], int]) -> None:
        self._upto = upto
        self._held: deque[tuple[int, dict[str, bytes]]] = deque()

    def put(self, number: int, watermarks: Sequence[Watermark]) -> None:
        """These are true once the centre has all up to batch `number`."""
        if not watermarks:
            return
        if len(self._held) >= MOST:
            _, earlier = self._held.pop()
            self._held.append((number, earlier | dict(watermarks)))
        else:
            self._held.append((number, dict(watermarks)))

    def due(self) -> list[Watermark]:
        """What may be told now."""
        told: dict[str, bytes] = {}
        upto = self._upto()
        while self._held and self._held[0][0] <= upto:
            told |= self._held.popleft()[1]
        return list(told.items())
