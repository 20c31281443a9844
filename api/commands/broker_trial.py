"""What a broker keeps, tried: a session with a queue, what is retained, and how much it sends before it waits for us.

All of it on `yz-probe/{client id}/…`, and taken away again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from gateway.mqtt import Broker

PATIENCE_S, QUIET_S = 15.0, 3.0
QUEUED = 1_200  # messages for a session that is away: more than mosquitto keeps by default
FEW = 100
Retained = Literal["all", "by name", "by node", "none"]


@dataclass(frozen=True, slots=True)
class BrokerTraits:
    """`retained`: what a wildcard gets, None where nobody lets us try. `session`: whether it is kept. `queued`: of
    QUEUED messages, those that came after an absence. `at_once`: those that came before one was acknowledged.
    """

    retained: Retained | None
    session: bool
    queued: int
    at_once: int


def tried(broker: "Broker", client_id: str) -> BrokerTraits | None:
    """None where it can't be tried: no connection, or no right to `yz-probe/#`."""
    retained = retained_of(broker, client_id)
    kept = None if retained is None else _absence(broker, f"{client_id}-kept")
    return None if retained is None or kept is None else BrokerTraits(retained, *kept)


def retained_of(broker: "Broker", client_id: str) -> Retained | None:
    """What of a retained message comes to who subscribes later; None where it can't be tried."""
    from gateway.base.clock import now_ms

    base, payload = f"yz-probe/{client_id}/retained", str(now_ms()).encode()
    topic = f"{base}/one"
    with _Line(broker, client_id, topic) as line:
        if not line.ready or not line.say([(topic, payload)], retain=True) or payload not in line.heard(1):
            return None  # not even what is said now is heard: we may not
    try:
        other = broker.next_node()  # where there is one
        if payload in _later(other, f"{client_id}-wildcard", f"{base}/+"):
            return "all"
        if payload in _later(other, f"{client_id}-name", topic):
            return "by name"
        return "by node" if payload in _later(broker, f"{client_id}-node", topic) else "none"
    finally:
        with _Line(broker, client_id) as line:
            line.say([(topic, b"")], retain=True)


def _later(broker: "Broker", client_id: str, topic_filter: str) -> list[bytes]:
    """What is retained for this filter."""
    with _Line(broker, client_id, topic_filter) as line:
        return line.heard(1)


def _absence(broker: "Broker", client_id: str) -> tuple[bool, int, int] | None:
    """Whether a session is kept, how much of QUEUED messages, and how many come at once."""
    topic = f"yz-probe/{client_id}/queue"
    try:
        with _Line(broker, client_id, topic, keep=True) as line:
            if not line.ready:
                return None
        with _Line(broker, f"{client_id}-says") as line:
            if not line.say([(topic, b"%d" % number) for number in range(QUEUED)]):
                return None
        with _Line(broker, client_id, topic, keep=True) as line:
            at_once = len(line.heard(QUEUED, acknowledge=False))
            line.acknowledge()
            return line.present, len(line.heard(QUEUED)), at_once
    finally:
        with _Line(broker, client_id):
            """A clean session takes the kept one away."""


class _Line:
    """One connection for a `with`."""

    def __init__(self, broker: "Broker", client_id: str, *filters: str, keep: bool = False) -> None:
        from gateway.mqtt import Session

        self.present = False
        self._confirmed: set[int] = set()
        self._owed: list[tuple[int, list[int]]] = []
        self._came: dict[bytes, None] = {}  # each once: some brokers send the first ones twice
        self._session = Session(broker, client_id, filters=filters, keep=keep, expiry_s=60)
        self._session.on_connect = self._connected
        self._session.on_published = self._confirmed.add

    def _connected(self, present: bool) -> None:
        self.present = present

    def __enter__(self) -> "_Line":
        self._until(lambda: self._session.subscribed)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def ready(self) -> bool:
        """Whether the broker lets us in, and hear."""
        return self._session.subscribed

    def say(self, messages: Sequence[tuple[str, bytes]], *, retain: bool = False) -> bool:
        """Whether the broker has acknowledged all of them."""
        mids = {self._session.publish(topic, payload, retain=retain) for topic, payload in messages}
        return None not in mids and self._until(lambda: mids <= self._confirmed)

    def heard(self, count: int, *, acknowledge: bool = True) -> list[bytes]:
        """What has come on this line, each once, when it is `count` or it is quiet."""
        from gateway.base.clock import monotonic_s

        last, had = monotonic_s(), -1
        while len(self._came) < count and monotonic_s() - last < QUIET_S:
            self._poll()
            if acknowledge:
                self.acknowledge()
            if len(self._came) != had:
                last, had = monotonic_s(), len(self._came)
        return list(self._came)

    def acknowledge(self) -> None:
        for epoch, mids in self._owed:
            self._session.ack(epoch, mids)
        self._owed.clear()

    def _until(self, done: Callable[[], bool]) -> bool:
        from gateway.base.clock import monotonic_s

        end = monotonic_s() + PATIENCE_S
        while not done() and monotonic_s() < end:
            self._poll()
        return done()

    def _poll(self) -> None:
        arrivals = self._session.poll(0.05)
        if arrivals is not None:
            self._came.update((payload, None) for _, payload, _ in arrivals.frames if payload)
            self._owed.append((arrivals.epoch, list(arrivals.mids)))


def findings(traits: BrokerTraits | None, where: str) -> Iterator[DoctorFinding]:
    """What loses or can't work, each with its mend; one line that all is well, else."""
    if traits is None:
        text = f"{where}: what it keeps can't be tried; let this user say and hear yz-probe/#, docs/broker.md"
        yield DoctorFinding("warn", "broker", text)
        return
    troubles = list(_troubles(traits))
    yield from (DoctorFinding("warn", "broker", f"{where} {text}") for text in troubles)
    if not troubles:
        text = f"{where} keeps sessions, {traits.queued} messages for one that is away, and what is retained"
        yield DoctorFinding("ok", "broker", text)


def of_retained(retained: Retained | None) -> str | None:
    """What is wrong with it, and the mend."""
    if retained == "by name":
        return (
            "gives what is retained to who asks by name, and nothing to a wildcard, as RabbitMQ 3.10 does: live "
            "documents are asked for by name and shown, but who starts hears no yz-sys, yz-ack and yz-site until they "
            "are said anew, and a centre no stations of boxes; take mosquitto or NATS where that matters"
        )
    if retained == "by node":
        return (
            "gives what is retained only at the node that was told it, as a cluster of RabbitMQ 3.10 does: an API on "
            "its own at another node shows a station once that changes; "
            "give all programs the same one address, or take NATS"
        )
    if retained == "none":
        return "retains nothing: an API on its own shows nothing until it is said anew; allow retained messages there"
    return None


def _troubles(traits: BrokerTraits) -> Iterator[str]:
    retained = of_retained(traits.retained)
    if retained is not None:
        yield retained
    if not traits.session:
        yield (
            "keeps no session: what comes while the gateway is away is lost, but for devices that wait for their "
            "watermark; allow persistent sessions there"
        )
        return
    if traits.queued < QUEUED:
        yield (
            f"keeps {traits.queued} of {QUEUED} messages for a session that is away, and drops the rest; "
            "mosquitto: raise max_queued_messages, as deploy/mosquitto.conf does"
        )
    if traits.at_once < FEW:
        yield (
            f"sends {traits.at_once} messages and waits for our disk before the next; mosquitto: max_inflight_messages "
            "1000; RabbitMQ: mqtt.prefetch = 1000; NATS: max_ack_pending"
        )
