"""Somebody looks for devices: a listener on a broker connection of its own, for as long as he asks.

It never touches the gateway's own session or threads. What it costs is bounded: every message is taken from the broker
(else the broker would keep them), but only so many a second are looked at, and those of configured devices of ours are
left out; devices and their messages are kept within `DEVICES` and `SAMPLES_BYTES`.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from config.schema import Settings
from gateway.base.clock import monotonic_s
from gateway.dialects.discover import LISTEN_TO, DiscoveryListener, Finding
from gateway.model import Millis
from gateway.mqtt import Session
from gateway.mqtt.configured import broker_of

log = logging.getLogger(__name__)

ASKED_S: Final = 20.0  # who has not asked for so long has gone
LOOKS_A_SECOND: Final = 300  # some 30 µs each: a hundredth of a core
BURST: Final = 3_000  # what is retained comes all at once
DEVICES: Final = 400
SAMPLES_BYTES: Final = 4_000_000
TOPICS: Final = 20_000  # remembered, so that none floods the others out
SAME_TOPIC_S: Final = 0.1
FOREIGN_SHOWN: Final = 100  # up to so many devices of other makes that are configured are listed, too
RETELL_S: Final = 0.8  # findings are worked out no more often
_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class WhatIsHeard:
    """`trouble`: why nothing can be heard, None while all is well. `since`: when the listening began."""

    since: Millis
    trouble: str | None
    findings: tuple[Finding, ...]
    full: bool
    """More devices speak than are kept."""


class Pace:
    """Which messages are looked at: a budget that fills with time, and each topic ten times a second."""

    def __init__(self, now_s: float) -> None:
        self._left, self._filled_at = float(BURST), now_s
        self._seen: dict[bytes, float] = {}

    def admits(self, topic: bytes, now_s: float) -> bool:
        """Whether this one is looked at, and charged."""
        if now_s - self._seen.get(topic, -SAME_TOPIC_S) < SAME_TOPIC_S:
            return False
        self._left = min(BURST, self._left + (now_s - self._filled_at) * LOOKS_A_SECOND)
        self._filled_at = now_s
        if self._left < 1:
            return False
        self._left -= 1
        if len(self._seen) >= TOPICS:
            self._seen.clear()
        self._seen[topic] = now_s
        return True


class DeviceWatch:
    """One listener for all who ask. Any thread may ask; the thread that listens ends by itself."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        now: Callable[[], Millis],
        open_session: Callable[[Settings], Any] | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        """`ended()`: the process stops, so nobody need listen."""
        self._settings, self._now, self._open = settings, now, open_session or _session
        self._lock = threading.Lock()  # of what is heard
        self._thread: threading.Thread | None = None
        self._asked_at = 0.0
        self._ended = ended
        self._began(monotonic_s())

    def _began(self, now_s: float) -> None:
        self._listener = DiscoveryListener(DEVICES, SAMPLES_BYTES, _known(self._settings()))
        self._pace = Pace(now_s)
        self._since = self._now()
        self._trouble: str | None = "connecting"
        self._told: tuple[Finding, ...] = ()
        self._told_at = -RETELL_S

    def ask(self) -> tuple[WhatIsHeard, bool]:
        """What was heard up to now, and whether listening began with this question."""
        with self._lock:
            self._asked_at = monotonic_s()
            begins = self._thread is None and not self._ended()
            if begins:
                self._began(self._asked_at)
                self._thread = threading.Thread(target=self._work, name="setup-listen", daemon=True)
                self._thread.start()
            return self._heard(), begins

    def _heard(self) -> WhatIsHeard:
        if self._asked_at - self._told_at >= RETELL_S:
            taken = {item.id for _, _, item in self._settings().resources()}
            self._told, self._told_at = tuple(self._listener.findings(taken)), self._asked_at
        return WhatIsHeard(self._since, self._trouble, self._told, len(self._listener) >= DEVICES)

    def _work(self) -> None:
        try:
            session = self._open(self._settings())
            try:
                while not self._ends():
                    self._listen(session)
            finally:
                session.close()
        except Exception as error:  # a broken certificate, a fault of ours: told to whoever asks, and nobody else
            log.exception("nobody listens for devices any more")
            with self._lock:
                self._thread, self._trouble = None, type(error).__name__

    def _ends(self) -> bool:
        with self._lock:
            ends = self._ended() or monotonic_s() - self._asked_at > ASKED_S
            if ends:
                self._thread = None
            return ends

    def _listen(self, session: Any) -> None:
        arrivals = session.poll(_POLL_S)
        trouble = None if session.subscribed else session.trouble or "connecting"
        now_s, now = monotonic_s(), self._now()
        with self._lock:
            self._trouble = trouble
            for topic, payload, _ in arrivals.frames if arrivals is not None else ():
                if not topic.startswith((b"yz-", b"$")) and self._pace.admits(topic, now_s):
                    self._listener.hear(topic.decode(errors="replace"), payload, now)
        if arrivals is not None:
            session.ack(arrivals.epoch, arrivals.mids)


def _known(settings: Settings) -> frozenset[str]:
    """What need not be found: devices of ours that are configured, and those of other makes where there are many."""
    ours = {f"yz/{station.id}/{item.device_id}/state" for station, _, item in settings.resources()}
    foreign = {item.source.topic for _, _, item in settings.resources() if item.source is not None}
    return frozenset(ours | foreign if len(foreign) > FOREIGN_SHOWN else ours)


def _session(settings: Settings) -> Session:
    name = f"{settings.client_id}-setup-{secrets.token_hex(4)}"
    return Session(broker_of(settings), name, filters=LISTEN_TO, keep=False)
