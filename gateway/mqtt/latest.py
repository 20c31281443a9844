"""Messages of which only the newest of a topic matters, sent within the window that the broker allows."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

JAM_S = 60.0  # RabbitMQ was seen to owe answers for 300 s after a node had died


class Latest:
    """Take what is `due`; say under which message id it was `sent`, and when it was `confirmed`."""

    def __init__(self) -> None:
        self._window = 0
        self._waiting: OrderedDict[str, bytes] = OrderedDict()
        self._unconfirmed: set[int] = set()
        self._confirmed = 0
        self._full_since: tuple[float, int] | None = None  # and how many were confirmed then

    def add(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """A newer message takes the place of an older one of its topic that was not sent yet."""
        self._waiting.update(messages)

    def due(self) -> Iterator[tuple[str, bytes]]:
        while self._waiting and len(self._unconfirmed) < self._window:
            yield self._waiting.popitem(last=False)

    def sent(self, mid: int) -> None:
        self._unconfirmed.add(mid)

    def confirmed(self, mid: int) -> bool:
        """Note that the broker has it; False when the message is none of ours."""
        if mid not in self._unconfirmed:
            return False
        self._unconfirmed.remove(mid)
        self._confirmed += 1
        return True

    def jammed(self, moment: float) -> bool:
        """Whether something has waited for JAM_S, and the broker has confirmed nothing meanwhile."""
        if not self._waiting or len(self._unconfirmed) < self._window:
            self._full_since = None
        elif self._full_since is None or self._full_since[1] != self._confirmed:
            self._full_since = moment, self._confirmed
        return self._full_since is not None and moment - self._full_since[0] > JAM_S

    def forget(self) -> None:
        """What waits for a connection that is gone will be said anew, or not at all."""
        self._window = 0
        self._waiting.clear()

    def open(self, window: int) -> None:
        """From now on so many may be unconfirmed; before, none."""
        self._window = window
