"""One virtual device: its header, and the messages it keeps until the gateway's watermark covers them."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from firmware_bridge.emulator.faults import Misbehaviour
from firmware_bridge.emulator.things import Thing
from firmware_bridge.emulator.truth import TrueSignals
from gateway.model import Millis

_encode = msgspec.json.Encoder().encode


class Publish(Struct, frozen=True, gc=False):
    """One MQTT message to send with QoS 1."""

    topic: str
    payload: bytes
    retain: bool
    station: str
    device: str


class HeldMessage(Struct, frozen=True, gc=False):
    """A message not yet covered by the watermark, sent first at `at`."""

    seq: int
    at: Millis
    event: bool
    payload: bytes


class VirtualDevice:
    """Store and replay as contract section 3 allows: at most `hold` readings are kept, the oldest dropped first; events
    are never dropped. A reading dropped above an event that is still held leaves a hole the gateway would await for
    ever, so replay fills it with a bare header.

    What is not covered at a reboot is lost: the memory is RAM.
    """

    __slots__ = ("boot", "fault", "flip", "frozen", "heard", "held", "hold", "id", "period_ms", "seq", "skew_ms",
                 "station", "things", "up")  # fmt: skip

    def __init__(self, station: str, device: str, things: Sequence[Thing], hold: int, *, sparing: bool = False) -> None:
        """`sparing`: it reports only as often as its values run out, which is up to a quarter of the ttl earlier."""
        self.station, self.id, self.things, self.hold = station, device, tuple(things), hold
        ttl_ms = min(thing.resource.ttl_ms for thing in things)
        self.period_ms = ttl_ms * 7 // 10 if sparing else max(250, min(60_000, ttl_ms // 3))
        self.boot = ""
        self.seq = 0
        self.held: list[HeldMessage] = []
        self.up = False
        self.heard = False  # an ack came since the last resend
        self.fault: Misbehaviour | None = None
        self.frozen: TrueSignals | None = None
        self.skew_ms = 0
        self.flip = False

    @property
    def ttl_ms(self) -> Millis:
        return min(thing.resource.ttl_ms for thing in self.things)

    def start(self, at: Millis) -> Publish:
        """Boot: a name of its own made of the time, an empty memory, and the birth message."""
        self.boot, self.seq, self.up = f"{at:x}", 0, True
        self.held.clear()
        return self.availability("online")

    def availability(self, state: str) -> Publish:
        """Retained; with "offline" it is also what the device's last will says."""
        topic = f"yz/{self.station}/{self.id}/availability"
        return Publish(topic, _encode({"state": state, "boot": self.boot}), True, self.station, self.id)

    def signals(self, at_s: float) -> TrueSignals:
        """What its sensors read at second `at_s` of the world's clock."""
        told = self.things[0].signals(at_s)
        for thing in self.things[1:]:
            told = told | thing.signals(at_s)
        return told

    def message(self, at: Millis, body: Mapping[str, object], *, event: bool = False) -> Publish:
        """The next message, kept until acknowledged. `body` is the payload without its header."""
        self.seq += 1
        oldest = self.held[0].seq if self.held else self.seq
        header = {"ts": at + self.skew_ms, "boot": self.boot, "seq": self.seq, "oldest": oldest}
        payload = _encode({**header, **body})
        self.held.append(HeldMessage(self.seq, at, event, payload))
        if len(self.held) > self.hold:
            self._drop_oldest_reading()
        return self._publish(event, payload)

    def acked(self, boot: str, upto: int) -> None:
        """The gateway has everything of `boot` up to and including seq `upto` on disk: forget it."""
        if boot != self.boot:
            return
        self.heard = True
        covered = 0
        while covered < len(self.held) and self.held[covered].seq <= upto:
            covered += 1
        del self.held[:covered]

    def replay(self, before: Millis | None = None) -> Iterator[Publish]:
        """Everything still held, in order; with `before`, only if first sent before then."""
        expected = self.held[0].seq if self.held else 0
        for held in self.held:
            if before is not None and held.at >= before:
                return
            for seq in range(expected, held.seq):
                yield self._publish(event=False, payload=_encode({"boot": self.boot, "seq": seq}))
            yield self._publish(held.event, held.payload)
            expected = held.seq + 1

    def _drop_oldest_reading(self) -> None:
        for index, held in enumerate(self.held):
            if not held.event:
                del self.held[index]
                return

    def _publish(self, event: bool, payload: bytes) -> Publish:
        topic = f"yz/{self.station}/{self.id}/{'event' if event else 'state'}"
        return Publish(topic, payload, False, self.station, self.id)
