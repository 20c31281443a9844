"""Spool → MQTT in the native dialect, and the gateway's watermarks back.

For each device in order, at a bounded rate, and never further ahead of its watermark than `WINDOW`: so a gateway that
is away costs the broker little, and one device that nobody confirms never holds up the others. On a new connection,
when a gateway is back, and when no watermark comes for long, sending begins again at the lowest message held: the
gateway stores a repeat once.

Anybody whom the broker lets write may say a watermark. So it is believed no further than the broker has taken our
messages: those it keeps for the gateway, and whatever else is claimed costs nothing that nobody else has.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from firmware_bridge import commands
from firmware_bridge.calls import CallDesk
from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.presence import Presence, steady_ms
from firmware_bridge.spool import HeldReading, Spool
from firmware_bridge.spool_file import SpoolError
from gateway import wire
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandError, Gate, SignedCommand
from gateway.model import RETAINED, Header, Millis, Observation, Signal, Topic
from gateway.mqtt import Arrivals, Session

log = logging.getLogger(__name__)

WINDOW = 3_000  # messages of one device beyond its watermark
SLICE = 32  # messages of one device before it is the next one's turn
SOON_MS = 20_000  # a gateway that says `online` again so soon has been away
GRACE_MS = 300  # after subscribing: the retained watermarks are on their way
RESEND_MS = (30_000, 900_000)  # the gateway confirms within 10 s


class _Watermark(Struct):
    boot: str
    upto: int


@dataclass(slots=True)
class _Lane:
    """One device's messages: the highest seq sent on this connection, the highest that the broker has ever taken from
    this process, the watermark last told, what is covered by both, and since when nothing was.
    """

    sent: int = 0
    taken: int = 0
    told: int = 0
    covered: int = 0
    waiting_since: Millis | None = None
    resend_ms: Millis = field(default_factory=lambda: RESEND_MS[0])


class Publisher:
    """Owns the session; one thread calls `step`. `notify` may be called from any thread.

    `place` is the station and the name of this box. `unlock` carries out a command; False when no device of ours can.
    """

    def __init__(
        self,
        session: Session,
        spool: Spool,
        presence: Presence,
        place: tuple[str, str],
        rate_per_s: int,
        unlock: Callable[[str], bool],
        gate: Gate,
        calls: CallDesk,
    ) -> None:
        self._gate, self._calls = gate, calls
        self._session, self._spool, self._presence = session, spool, presence
        (self._station, self._box), self._rate, self._unlock = place, rate_per_s, unlock
        self._lock = threading.Lock()
        self._mishaps = Mishaps(expected=(SpoolError,))
        self._fresh: set[str] = set(spool.devices())
        self._lanes: dict[str, _Lane] = {}
        self._pending: dict[str, None] = {}
        self._tokens = float(rate_per_s)
        self._filled_at: Millis | None = None
        self._ready_at: Millis | None = None
        self._flying: dict[int, tuple[str, int]] = {}  # by packet: device and seq
        self._landed: set[str] = set()  # devices of which the broker has taken more
        self._gateways: dict[bytes, Millis | None] = {}  # when each last said that it is there
        session.subscribe((f"yz-ack/{self._station}/+", "yz-sys/+", commands.filter_of(self._station), calls.topic))
        self._greeting = False  # a new connection, on which all is to be told anew
        session.on_connect = self._greeted
        session.on_published = self._published

    def notify(self, devices: Sequence[str]) -> None:
        """There is something new in the spool for these."""
        with self._lock:
            self._fresh.update(devices)
        self._session.wake()

    def step(self, timeout_s: float) -> None:
        """Wait at most so long, take what came, send what may be sent."""
        arrivals = self._session.poll(0.02 if self._pending and self._session.connected else timeout_s)
        now = now_ms()
        if arrivals is not None:
            self._take(arrivals, now)
        while self._landed:
            device = self._landed.pop()
            self._let_go(device, self._lanes[device], now)
        self._presence.tick(steady_ms())
        if not self._session.connected:
            return
        if self._greeting:
            self._connected()
            self._greeting = False  # only now: what fails is told at the next step
        if self._ready_at is None and self._session.subscribed:
            self._ready_at = now + GRACE_MS
        self._tell_presence()
        self._clear_gone()
        self._calls.drain(self._say)
        with self._lock:
            self._pending.update(dict.fromkeys(self._fresh))
            self._fresh.clear()
        self._look_for_lost(now)
        if self._ready_at is not None and now >= self._ready_at:
            self._send(now)

    def farewell(self) -> None:
        """Everything of ours goes offline, in order, before the session is closed."""
        for device in (*self._presence.online(), self._box):
            self._availability(device, online=False)
        self._calls.drain(self._say)

    # ---- what comes ----

    def _greeted(self, _session_present: bool) -> None:
        self._greeting = True
        self._ready_at = None

    def _connected(self) -> None:
        self._ready_at = None
        self._gateways.clear()
        self._presence.again()
        for lane in self._lanes.values():
            lane.sent, lane.waiting_since, lane.resend_ms = 0, None, RESEND_MS[0]
        with self._lock:
            self._fresh.update(self._spool.devices())
        self._availability(self._box, online=True)
        self._calls.again()

    def _take(self, arrivals: Arrivals, now: Millis) -> None:
        for frame in arrivals.frames:
            with self._mishaps.contained(f"message on {frame[0][:200]!r}"):
                self._hear(frame, now)
        self._session.ack(arrivals.epoch, arrivals.mids)

    def _hear(self, frame: tuple[bytes, bytes, int], now: Millis) -> None:
        topic, payload, flags = frame
        if topic.startswith(b"yz-ack/"):
            self._watermark(topic, payload, now)
        elif topic.startswith(b"yz-sys/"):
            self._report(topic, payload, bool(flags & RETAINED), now)
        elif (device := commands.device_in(topic)) is not None:
            self._command(device, topic, payload, bool(flags & RETAINED), now)
        elif topic == self._calls.topic.encode() and (
            order := self._let_in(topic, payload, bool(flags & RETAINED), now)
        ):
            self._calls.take(order)

    def _watermark(self, topic: bytes, payload: bytes, now: Millis) -> None:
        device = topic.decode("utf-8", "replace").rpartition("/")[2]
        try:
            mark = msgspec.json.decode(payload, type=_Watermark)
        except (msgspec.DecodeError, RecursionError):
            return
        if mark.boot != self._spool.boot:
            return
        lane = self._lanes.setdefault(device, _Lane())
        lane.told = mark.upto
        self._let_go(device, lane, now)

    def _let_go(self, device: str, lane: _Lane, now: Millis) -> None:
        """Delete from the spool what the gateway says it has, once the broker has taken it."""
        upto = min(lane.told, lane.taken)
        if self._spool.cover(device, self._spool.boot, upto) or upto > lane.covered:
            lane.covered, lane.resend_ms = upto, RESEND_MS[0]
            lane.waiting_since = now if lane.sent > upto else None
            self._pending[device] = None  # the window has moved

    def _published(self, mid: int) -> None:
        """The broker has taken a message."""
        device, seq = self._flying.pop(mid, (None, 0))
        if device is None:
            return
        lane = self._lanes[device]
        lane.taken = max(lane.taken, seq)
        if lane.told > lane.covered:
            self._landed.add(device)

    def _report(self, topic: bytes, payload: bytes, retained: bool, now: Millis) -> None:
        """A gateway says `online` every half minute, and at once when it is back: then much may not have reached it."""
        if retained:
            return
        online = b'"state":"online"' in payload
        before = self._gateways.get(topic)
        self._gateways[topic] = now if online else None
        if online and (before is None or now - before < SOON_MS):
            for device, lane in self._lanes.items():
                self._rewind(device, lane)

    def _rewind(self, device: str, lane: _Lane) -> None:
        lane.sent, lane.waiting_since = 0, None
        self._pending[device] = None

    def _command(self, device: str, topic: bytes, payload: bytes, retained: bool, now: Millis) -> None:
        """Obey a command that the gate lets in. Only such a one is told: noise must not fill the spool."""
        order = self._let_in(topic, payload, retained, now)
        if order is None:
            return
        done = self._unlock(device)
        log.info("unlock %s by %s: %s", device, order.by, "done" if done else "no such door")
        told: dict[str, Signal] = {"granted": done, "reason": "" if done else "no_such_door", "by": order.by}
        self.notify(self._spool.put([Heard((DeviceReading(device, told, "command"),))], now))

    def _let_in(self, topic: bytes, payload: bytes, retained: bool, now: Millis) -> SignedCommand | None:
        try:
            return self._gate.open(topic, payload, now, retained=retained)
        except CommandError as error:
            self._gate.refuse(error, now)
            return None

    # ---- what goes ----

    def _tell_presence(self) -> None:
        for device, online in self._presence.take_changed().items():
            with self._mishaps.contained(f"telling whether {device} is there"):
                self._availability(device, online)
                continue
            self._presence.tell_again(device)

    def _clear_gone(self) -> None:
        """What was retained of devices that are no longer configured."""
        for device in self._presence.gone():
            self._session.publish(f"yz/{self._station}/{device}/availability", b"", qos=1, retain=True)

    def _availability(self, device: str, online: bool) -> None:
        topic, payload = _availability(self._station, device, self._spool.boot, online)
        self._session.publish(topic, payload, qos=1, retain=True)

    def _say(self, topic: str, payload: bytes, retain: bool) -> None:
        self._session.publish(topic, payload, qos=1, retain=retain)

    def _look_for_lost(self, now: Millis) -> None:
        """Sent long ago and not confirmed: the broker or the gateway has lost it, or only waits for a new `oldest`."""
        for device, lane in self._lanes.items():
            if lane.waiting_since is None or 0 <= now - lane.waiting_since < lane.resend_ms:
                continue
            lane.resend_ms = min(lane.resend_ms * 2, RESEND_MS[1])
            self._rewind(device, lane)

    def _send(self, now: Millis) -> None:
        if self._filled_at is not None:
            grown = max(0, now - self._filled_at) * self._rate / 1000
            self._tokens = min(self._tokens + grown, float(self._rate))
        self._filled_at = now
        for device in list(self._pending):
            if self._tokens < 1:
                return
            del self._pending[device]
            more = False
            try:
                more = self._send_lane(device, now)
            except SpoolError:
                self._pending[device] = None
                raise
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note(f"messages of {device}", error)
                lane = self._lanes.setdefault(device, _Lane())
                lane.waiting_since = now if lane.waiting_since is None else lane.waiting_since  # sent anew by then
            if more:
                self._pending[device] = None  # behind the others

    def _send_lane(self, device: str, now: Millis) -> bool:
        """Send some; True when there may be more to send at once."""
        lane = self._lanes.setdefault(device, _Lane())
        oldest = self._spool.oldest(device)
        if oldest is None:
            return False
        lane.covered = max(lane.covered, oldest - 1)
        room = WINDOW - max(0, lane.sent - lane.covered)
        rows = self._spool.after(device, lane.sent, min(SLICE, room, int(self._tokens))) if room > 0 else ()
        for row in rows:
            mid = self._session.publish(*self._message(device, row, oldest))
            if mid is None:
                return True
            self._flying[mid] = device, row.seq
            lane.sent = row.seq
            self._tokens -= 1
        if rows and lane.waiting_since is None:
            lane.waiting_since = now
        return bool(rows)

    def _message(self, device: str, row: HeldReading, oldest: int) -> tuple[str, bytes]:
        header = Header(row.ts, self._spool.boot, row.seq, oldest)
        which: Topic = "state" if row.event is None else "event"
        return wire.encode(Observation(self._station, device, which, header, row.signals, row.event))


def _availability(station: str, device: str, boot: str, online: bool) -> tuple[str, bytes]:
    return wire.encode(Observation(station, device, "availability", Header(boot=boot), {"online": online}))


def will(station: str, box: str, boot: str) -> tuple[str, bytes]:
    """Topic and payload of the last will: the box is offline."""
    return _availability(station, box, boot, online=False)
