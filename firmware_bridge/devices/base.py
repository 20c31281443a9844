"""What every device protocol has in common. A protocol is a `Talk`: bytes and time in, readings and bytes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from firmware_bridge.spool_charges import ChargeBook
from gateway.model import Millis, Signal


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """One fact of one device in the contract's signal names and units; `event` is the type of an event."""

    device: str
    signals: dict[str, Signal]
    event: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceOrder:
    """Something to do at a device, already checked: so far only `unlock`, for `pulse_ms`."""

    device: str
    what: Literal["unlock"]
    pulse_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What one frame said.

    `devices` are heard from, even when nothing new was said. `reply` goes out when `readings` are safely on disk.
    `wire` is `(device, mark)` of a frame that its sender repeats until it gets the reply: a frame with the mark that
    was stored last for the device is a repeat, so it is answered but not stored again. `orders` are carried out, by
    whatever bus can, once `readings` are on disk. `step` is a step of a pile's transaction: it is taken in the commit
    that stores `readings`, and gives more of them.
    """

    readings: tuple[DeviceReading, ...] = ()
    devices: tuple[str, ...] = ()
    reply: bytes = b""
    orders: tuple[DeviceOrder, ...] = ()
    wire: tuple[str, bytes] | None = None
    step: Callable[[ChargeBook, Millis], Sequence[DeviceReading]] | None = None


@dataclass(slots=True)
class TalkHealth:
    """Frame counters of a talk, for the baud hint, the probe and the log."""

    frames: int = 0
    bad: int = 0
    junk: int = 0


class Talk(Protocol):
    """One side of the conversation on one bus. No I/O, no clock, never raises on input."""

    def opened(self, now: Millis) -> bytes:
        """The port was opened (again): forget halves; what to say first."""

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]: ...

    def tick(self, now: Millis) -> tuple[Sequence[Heard], bytes]:
        """What time alone brings about, and what to say now."""

    def deadline(self) -> Millis | None:
        """When `tick` wants to be called at the latest."""

    def order(self, order: DeviceOrder, now: Millis) -> bytes | None:
        """Bytes to send for this order; None when the device has no such thing."""

    def health(self) -> TalkHealth: ...


class Counted(Protocol):
    """A frame reader with its counters; `reset` forgets a half frame."""

    frames: int
    bad: int
    junk: int

    def reset(self) -> None: ...


R = TypeVar("R", bound=Counted)


class Listener(Generic[R]):
    """Base of protocols in which the device talks by itself: a subclass has its `feed` and its reader."""

    reader: R

    def opened(self, now: Millis) -> bytes:  # noqa: ARG002
        self.reader.reset()
        return b""

    def tick(self, now: Millis) -> tuple[Sequence[Heard], bytes]:  # noqa: ARG002
        return (), b""

    def deadline(self) -> Millis | None:
        return None

    def order(self, order: DeviceOrder, now: Millis) -> bytes | None:  # noqa: ARG002
        return None

    def health(self) -> TalkHealth:
        return TalkHealth(self.reader.frames, self.reader.bad, self.reader.junk)


@dataclass(slots=True)
class Steady:
    """Publishes a value when it has changed and was seen `agree` times running, and again every `heartbeat_ms`.

    For protocols without a checksum: a flipped bit makes one wrong frame, never two the same in a row.
    """

    agree: int = 1
    heartbeat_ms: Millis = 30_000
    _shown: dict[str, Signal] | None = None
    _shown_at: Millis = 0
    _next: dict[str, Signal] = field(default_factory=dict)
    _times: int = 0

    def take(self, signals: dict[str, Signal], now: Millis) -> dict[str, Signal] | None:
        """The signals to publish now, or None."""
        self._times = self._times + 1 if signals == self._next and self._times else 1
        self._next = signals
        if self._times < self.agree:
            return None
        if signals == self._shown and 0 <= now - self._shown_at < self.heartbeat_ms:
            return None
        self._shown, self._shown_at = signals, now
        return signals
