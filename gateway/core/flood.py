"""One device that floods costs itself: beyond its allowance its messages are let go before anybody reads them.

Every device may send `burst` messages at once and `per_s` a second in the long run; what came while we were away counts
as sent then, and is let in. Looking at each message would cost all the others, so by chance one in `STRIDE` is looked
at and stands for as many; only the messages of a device that has used up its allowance are counted one by one.

States are counted apart from what else a device says, so that a flood of values hides no alarm. All that nobody
configured counts as one device: strangers. Commands are never let go.

What is let go is not stored and not covered by the watermark: a device that keeps what is not confirmed sends it again.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from gateway.core.outcome import Frame
from gateway.live import Device
from gateway.model import Millis

log = logging.getLogger(__name__)

STRIDE = 128
AWAY_MS = 60_000  # nothing came for so long: we were away, or everybody was
AWAY_COUNTS_MS = 3_600_000  # so long after it the backlog may come
CALM_S = 10  # a flood is over when so much of its allowance has come back
SWEEP_MS = 10_000


class Flooding(NamedTuple):
    """Who floods, and about how many messages a second came of it lately."""

    device: Device
    per_s: int


@dataclass(slots=True)
class _Allowance:
    """What may still come, of `full` at most, as it was at `at`; `came` since `counted_at`."""

    left: float
    full: float
    at: Millis
    came: int = 0
    counted_at: Millis = 0
    per_s: int = 0

    def refill(self, per_s: float, now: Millis) -> None:
        if now > self.at:
            left = self.left + (now - self.at) * per_s / 1000
            self.left = min(self.full, left)
        self.at = now


class _Strangers:
    """All whom nobody configured."""


_Who = Device | _Strangers
_Key = _Who | tuple[_Who]
"""Who speaks; in a tuple where it is no state."""
STRANGERS = _Strangers()


class Flood:
    """`by_topic` holds the devices by the topic of their states, `speakers(topic)` names those of any topic. `per_s` 0:
    everything is let in.

    Belongs to the intake thread; `dropped` and `limited` may be read by any.
    """

    def __init__(
        self,
        per_s: int,
        burst: int,
        by_topic: Mapping[bytes, Device],
        speakers: Callable[[bytes], list[Device]],
        last_heard: Millis | None,
    ) -> None:
        self._per_s, self._burst, self._by_topic, self._speakers = per_s, burst, by_topic, speakers
        self.trusts: Callable[[str], bool] = lambda _station: False  # a box keeps its own devices from flooding
        self._chance = Random(0).random  # noqa: S311  no secret: it only must not keep step with the devices
        self._next = 0  # how many messages until the next one is looked at
        self._last_at = last_heard
        self._owed, self._owed_until = 0.0, 0
        self._sweep_at: Millis = 0
        self._allowances: dict[_Key, _Allowance] = {}
        self._limited: dict[_Key, _Allowance] = {}
        self.dropped = 0

    @property
    def limited(self) -> int:
        """How many devices, or strangers, send more than they may."""
        return len({_who(key) for key in self._limited})

    @property
    def remembered(self) -> int:
        """How many allowances are kept: of those that lately spoke, and were looked at."""
        return len(self._allowances) + len(self._limited)

    def let_in(self, frames: list[Frame], now: Millis) -> list[Frame]:
        """Those that may be handled, in order."""
        if not self._per_s:
            return frames
        self._note_silence(now)
        count, at = len(frames), self._next
        while at < count:
            self._charge(frames[at][0], now)
            at += 1 + int(self._chance() * (2 * STRIDE - 1))
        self._next = at - count
        if now >= self._sweep_at:
            self._sweep(now)
        if not self._limited:
            return frames
        passed = [frame for frame in frames if self._may(frame[0], now)]
        self.dropped += count - len(passed)
        return passed

    def look(self, now: Millis) -> list[Flooding]:
        """The devices that flood just now, with what came since the last look; strangers are told by quarantine."""
        for key, allowance in list(self._limited.items()):
            allowance.refill(self._per_s, now)
            if now > allowance.counted_at:
                allowance.per_s = round(allowance.came * 1000 / (now - allowance.counted_at))
                allowance.came, allowance.counted_at = 0, now
            if allowance.left >= min(allowance.full, CALM_S * self._per_s):
                del self._limited[key]
                self._allowances[key] = allowance
        flooding: dict[Device, int] = {}
        for key, allowance in self._limited.items():
            who = _who(key)
            if isinstance(who, Device):
                flooding[who] = flooding.get(who, 0) + allowance.per_s
        return [Flooding(device, per_s) for device, per_s in flooding.items()]

    def _note_silence(self, now: Millis) -> None:
        if self._last_at is not None and now - self._last_at >= AWAY_MS:
            self._owed = (now - self._last_at) / 1000 * self._per_s
            self._owed_until = now + AWAY_COUNTS_MS
        self._last_at = now

    def _key(self, topic: bytes) -> _Key | None:
        """None for a command, and for what a box passes on."""
        device = self._by_topic.get(topic)
        if device is not None:
            return None if self.trusts(device.station) else device
        if topic.startswith(b"yz-cmd/"):
            return None
        speakers = self._speakers(topic)
        who = speakers[0] if speakers else STRANGERS
        if isinstance(who, Device) and self.trusts(who.station):
            return None
        return (who,) if topic.endswith((b"/event", b"/availability")) else who

    def _charge(self, topic: bytes, now: Millis) -> None:
        """A message that was looked at stands for STRIDE of them."""
        key = self._key(topic)
        if key is None or key in self._limited:
            return
        allowance = self._allowances.get(key)
        if allowance is None:
            full = self._burst + (self._owed if now < self._owed_until else 0.0)
            allowance = self._allowances[key] = _Allowance(full, full, now)
        allowance.refill(self._per_s, now)
        allowance.left -= STRIDE
        if allowance.left < 0:
            allowance.left, allowance.came, allowance.counted_at = 0.0, 0, now
            self._limited[key] = self._allowances.pop(key)
            log.warning(
                "%s: more than %d messages, and %d a second in the long run (gateway.device_messages_per_s): "
                "the rest is let go",
                _name(_who(key)), self._burst, self._per_s,
            )  # fmt: skip

    def _may(self, topic: bytes, now: Millis) -> bool:
        """Whether a message is let in, while somebody floods."""
        key = self._key(topic)
        allowance = self._limited.get(key) if key is not None else None
        if allowance is None:
            return True
        allowance.came += 1
        allowance.refill(self._per_s, now)
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def _sweep(self, now: Millis) -> None:
        """Who has its whole allowance again needs no remembering."""
        self._sweep_at = now + SWEEP_MS
        for key, allowance in list(self._allowances.items()):
            allowance.refill(self._per_s, now)
            if allowance.left >= allowance.full:
                del self._allowances[key]


def _who(key: _Key) -> _Who:
    return key[0] if isinstance(key, tuple) else key


def _name(who: _Who) -> str:
    return f"{who.station}/{who.id}" if isinstance(who, Device) else "devices that nobody configured"
