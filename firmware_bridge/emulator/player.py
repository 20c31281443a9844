"""Plays a town over one MQTT connection: publishes what is due, takes watermarks, replays after a loss."""

import gc
import json
from collections.abc import Callable, Iterable

from firmware_bridge.emulator.device import Publish
from firmware_bridge.emulator.foreign import Foreigners
from firmware_bridge.emulator.town import Town
from gateway.base.clock import monotonic_s
from gateway.model import Millis
from gateway.mqtt import Session

ACK_TOPIC = "yz-ack/+/+"
MAX_WAIT_S = 0.25  # so that a stop is noticed
FAREWELL_S = 2.0
ASLEEP_MS, BACKWARD_MS = 30_000, 1_000  # jumps of the clock beyond these are no passing of time


class Player:
    """`session` is the town's own and is closed by its owner, after `run`. One thread owns both."""

    def __init__(self, town: Town | Foreigners, session: Session) -> None:
        self._town, self._session = town, session
        self._missed = False  # something was due while nobody could take it
        self._unconfirmed = 0  # not yet acknowledged by the broker
        self.published = 0
        session.on_connect, session.on_published = self._connected, self._confirmed
        session.subscribe([ACK_TOPIC])

    def run(self, now: Callable[[], Millis], stopped: Callable[[], bool]) -> None:
        """Until `stopped()`; then every device says goodbye. `now` is the machine's clock in ms."""
        gc.freeze()  # a big town is a million objects that stay: looking through them takes half the time
        at = now()
        while not stopped():
            before, at = at, now()
            if not -BACKWARD_MS <= at - before <= ASLEEP_MS:
                self._town.suspended(at - before)
            self._send(self._town.step(at))
            self._listen(min(MAX_WAIT_S, max(0.0, (self._town.next_due() - now()) / 1000)))
        self._send(self._town.farewell())
        give_up_at = monotonic_s() + FAREWELL_S
        while self._unconfirmed and self._session.connected and monotonic_s() < give_up_at:
            self._listen(0.05)

    def _connected(self, session_present: bool) -> None:
        if self._missed or not session_present:
            self._missed = False
            self._send(self._town.replay())

    def _send(self, messages: Iterable[Publish]) -> None:
        for message in messages:
            if self._session.publish(message.topic, message.payload, retain=message.retain) is None:
                self._missed = True
            else:
                self.published += 1
                self._unconfirmed += 1

    def _confirmed(self, _mid: int) -> None:
        self._unconfirmed -= 1

    def _listen(self, timeout_s: float) -> None:
        arrivals = self._session.poll(timeout_s)
        if arrivals is None:
            return
        for topic, payload, _ in arrivals.frames:
            self._take_watermark(topic.decode("utf-8", "replace"), payload)
        self._session.ack(arrivals.epoch, arrivals.mids)

    def _take_watermark(self, topic: str, payload: bytes) -> None:
        """What can't be read is no watermark: the messages stay held."""
        _, station, device = topic.split("/", 2)
        try:
            mark = json.loads(payload)
            self._town.acked(station, device, str(mark["boot"]), int(mark["upto"]))
        except (ValueError, TypeError, KeyError):
            return
