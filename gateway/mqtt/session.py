"""One MQTT connection kept alive by the thread that polls it.

`poll` does everything: dials, subscribes, reads, writes, keeps alive, reconnects with full jitter. Received messages
come back as `Arrivals`; each is acknowledged by `ack` when the caller has made it durable. An acknowledgement for an
older connection (`epoch`) is dropped: its message id may by now belong to another message, and the broker delivers
the unacknowledged one again anyway.
"""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt.properties import Properties  # noqa: TID251
from paho.mqtt.reasoncodes import ReasonCode  # noqa: TID251

from gateway.base.clock import monotonic_s
from gateway.mqtt.again import Again
from gateway.mqtt.bell import Bell
from gateway.mqtt.client import MAX_PACKET, V5, V311, Broker, Terms, Will, connect, new_client, rename
from gateway.mqtt.dialer import Dialer
from gateway.mqtt.fast import FastReader
from gateway.mqtt.limits import FORGOTTEN, BrokerLimits
from gateway.mqtt.oversized import Oversized
from gateway.mqtt.plain import PlainReader
from gateway.mqtt.reader import Arrivals, FrameReader
from gateway.mqtt.subscriptions import Subscriptions
from gateway.mqtt.topics import Topics, sendable
from gateway.mqtt.troubles import Troubles

log = logging.getLogger(__name__)

STABLE_S = 10.0  # a connection that lived so long resets the back-off
TAKEOVERS = 3  # so many losses within STABLE_S of a success: somebody else uses our client id
ANSWER_S = 10.0  # a node that takes the connection and says nothing for so long gives way to the next
KEEP_ALIVE = "Keep alive timeout"


class Session:
    """See the module. `client_id` with `keep=True` names a session that the broker keeps for `expiry_s`."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        *,
        filters: Sequence[str] = (),
        will: Will | None = None,
        keep: bool = True,
        expiry_s: int = 7 * 86_400,
        keepalive_s: int = 20,
        reconnect_max_s: float = 30.0,
        receive_maximum: int = 5_000,
        fast: bool = True,
    ) -> None:
        self.broker, self.client_id = broker, client_id
        self.subscriptions = Subscriptions(filters)
        self.connected = False
        self.subscribed = False
        self.epoch = 0
        self.gaps = 0  # times the broker had forgotten a session that we believed in
        self.reconnects = 0
        self._nodes = broker.configured or broker.nodes
        self._topics = Topics()
        self.oversized = Oversized()
        self.on_connect: Callable[[bool], None] = lambda _session_present: None
        self.on_published: Callable[[int], None] = lambda _mid: None
        self._terms = Terms(client_id, will, keep, expiry_s, keepalive_s, receive_maximum)
        self._fast = fast
        self._version = V311 if broker.version == 4 else V5
        self._version_known = broker.version != 0
        self._bell = Bell()
        self._dialer = Dialer(client_id, reconnect_max_s, self._bell.ring)
        self._connected_at = 0.0
        self._early_losses = 0
        self._had_session = False
        self.expected = False  # whether an earlier process had this session, so that the broker should have kept it
        self.limits = BrokerLimits()
        self._again = Again() if keep else None
        self._greeting: bool | None = None  # session_present of a connection that nobody was told of yet
        self._dialed_at = 0.0
        self._open = False  # from dialling until the loss was told
        self._closing = False
        self._held = False
        self._reported: str | None = None
        self._troubles = Troubles()
        self._max_packet = MAX_PACKET
        self._new_client()

    # ---- what callers use ----

    def poll(self, timeout_s: float, *, reading: bool = True, little: bool = False) -> Arrivals | None:
        """Wait at most `timeout_s` for something to do, do it, and return what arrived; with `little`, few of it.

        Without `reading`, which no connection bears for longer than its keep-alive, the broker has to wait.
        """
        sock = self._reached()
        if sock is None:
            resting = self._dialer.busy or self._held or self._closing
            self._bell.wait(timeout_s if resting else min(timeout_s, self._dialer.pause_s))
            return None
        to_write = self._client.want_write()
        readable = self._bell.wait(timeout_s, sock if reading or to_write else None, to_read=reading, to_write=to_write)
        arrivals = self._reader.read(little=little) if readable else None
        if self._greeting is not None:
            # Only now: what is published within paho's callback would be counted as in flight and never sent.
            greeting, self._greeting = self._greeting, None
            if self._held:  # since before we were connected
                self._client.disconnect()
            else:
                self.on_connect(greeting)
        if arrivals is not None:
            arrivals.epoch = self.epoch  # only now: the read may have begun with the CONNACK
            if self._again is not None:
                self._again.mark(arrivals)
        self._client.loop_misc()
        if self.connected and not self.subscribed:
            self.subscriptions.ask_again(self._client, version5=self._version == V5)
        if self._client.want_write():
            self._client.loop_write()
        return arrivals

    def ack(self, epoch: int, mids: Sequence[int]) -> None:
        """Acknowledge in the given order, all in one write; nothing happens for an older connection."""
        if mids and self.connected and epoch == self.epoch:
            self._reader.ack(mids)
            if self._again is not None:
                self._again.acknowledged(len(mids))

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """Send, and return the message id; None when not connected, or when no broker would take topic or size."""
        if (
            not self.connected
            or not self._topics.fit((topic,))
            or not self.oversized.takes(topic, payload, self._max_packet)
        ):
            return None
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        return info.mid if info.rc == paho.MQTT_ERR_SUCCESS else None

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send retained QoS 0 messages at the least cost; the caller repeats them if they matter."""
        if self.connected:
            messages = list(messages)
            if not self._topics.fit([topic for topic, _ in messages]):
                messages = [message for message in messages if sendable(message[0])]
            self._reader.publish_many(messages)

    def publish_latest(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send retained QoS 1 messages of which only the newest of a topic matters.

        None is sent again after a reconnect: the caller says all of them anew.
        """
        if self.connected:
            messages = [message for message in messages if self.oversized.takes(*message, self._max_packet)]
            if not self._topics.fit([topic for topic, _ in messages]):
                messages = [message for message in messages if sendable(message[0])]
            self._reader.publish_latest(messages)

    def subscribe(self, filters: Sequence[str]) -> None:
        """Listen to these topics too, from now on and after every reconnect."""
        client = self._client if self.connected else None
        self.subscriptions.add(filters, client, version5=self._version == V5)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Listen to these topics no more."""
        self.subscriptions.drop(filters, self._client if self.connected else None)

    def wake(self) -> None:
        """End the present `poll` early. Any thread may call it."""
        self._bell.ring()

    def hold(self) -> None:
        """Leave the broker until `resume`: it keeps for us what we could not take."""
        self._held = True
        if self.connected:
            self._client.disconnect()

    def resume(self) -> None:
        self._held = False

    @property
    def unsendable(self) -> int:
        """Messages left out because their topic was none."""
        return self._topics.unsendable

    @property
    def filters(self) -> tuple[str, ...]:
        """The filters that are listened to."""
        return self.subscriptions.filters

    @property
    def held(self) -> bool:
        return self._held

    @property
    def protocol(self) -> str:
        return "5" if self._version == V5 else "3.1.1"

    @property
    def trouble(self) -> str | None:
        """Why nothing is received, in words; None while connected and allowed to listen."""
        if not self.connected:
            return self._reported or f"{self.broker}: not connected yet"
        return None if self.subscribed else self._reported or f"{self.broker} has not granted our subscriptions yet"

    @property
    def address(self) -> str | None:
        """`host:port` of the node in use; None while not connected."""
        return str(self.broker) if self.connected else None

    @property
    def node(self) -> int:
        """Which of the configured addresses is in use, counted from 1; 0 while not connected."""
        return self._nodes.index(self.broker.nodes[0]) + 1 if self.connected else 0

    @property
    def takeover_suspected(self) -> bool:
        """True while connections keep being lost right after they were made: somebody else uses our client id."""
        lasting = self.connected and monotonic_s() - self._connected_at >= STABLE_S
        return self._early_losses >= TAKEOVERS and not lasting

    def close(self, timeout_s: float = 1.0) -> None:
        """Send what is queued, take leave of the broker (no last will is published), free the sockets."""
        self._closing = True
        end = monotonic_s() + timeout_s
        while self.connected and self._client.want_write() and monotonic_s() < end:
            self.poll(0.02)
        self._dialer.join(timeout_s)
        if self._client.socket() is not None:
            self._client.disconnect()
            while self._client.socket() is not None and self._client.want_write() and monotonic_s() < end:
                self._client.loop_write()
        self._bell.close()

    # ---- connecting ----

    def _new_client(self) -> None:
        self._client = client = new_client(self.broker, self._terms, self._version)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_publish = self._published
        fast = self._fast and FastReader.fits(client)
        self._reader: FrameReader = FastReader(client) if fast else PlainReader(client)

    def _reached(self) -> socket.socket | None:
        """The socket, when there is one; else a dial goes on, or begins if it may."""
        if self._dialer.busy:
            return None
        if self._dialer.error is not None:
            error, self._dialer.error = self._dialer.error, None
            self._failed(f"{self.broker}: {error}")
            return None
        sock = cast("socket.socket | None", self._client.socket())
        if sock is None and not (self._held or self._closing or self._dialer.pause_s):
            self._open = True
            self._dialed_at = monotonic_s()
            self._reader.reset()
            self._dialer.dial(lambda: connect(self._client, self.broker, self._terms))
        if sock is not None and (self._mute() or self._reader.jammed(monotonic_s())):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        return sock

    def _mute(self) -> bool:
        """Whether this node has not answered for so long that another one is to be asked."""
        return bool(self.broker.others) and not self.connected and monotonic_s() - self._dialed_at > ANSWER_S

    def _connected(
        self,
        _client: paho.Client,
        _data: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        props: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._open = False
            if not self._version_known and self._version == V5 and "protocol version" in str(reason).lower():
                self._version = V311
            self._failed(f"{self.broker} refused us: {reason}")
            return
        self._version_known = True
        self.epoch += 1
        self.connected, self.subscribed = True, not self.filters
        self._connected_at = monotonic_s()
        self._max_packet = min(MAX_PACKET, getattr(props, "MaximumPacketSize", MAX_PACKET))
        self._reader.opened(getattr(props, "ReceiveMaximum", 65_535))
        if (self._had_session or self.expected) and not flags.session_present:
            self.gaps += 1
            log.warning(FORGOTTEN, self.broker, self.client_id)
        self.expected = False
        self.limits.note(str(self.broker), props, self._terms)
        if self._had_session and self._again is not None:
            self._again.reconnected(kept=bool(flags.session_present))
        log.info("connected to %s, MQTT %s", self.broker, self.protocol)
        self._reported = None
        self._troubles.clear()
        known = bool(flags.session_present) and self._had_session
        asked = self.subscriptions.connected(self._client, version5=self._version == V5, known=known)
        self.subscribed = self.subscribed or not asked
        self._had_session = self._terms.keep
        self._greeting = bool(flags.session_present)

    def _subscribed(self, _client: object, _data: object, mid: int, reasons: Sequence[ReasonCode], *_: object) -> None:
        why = self.subscriptions.answered(mid, reasons, self.broker, self._troubles)
        self.subscribed = self.subscriptions.grants.complete
        self._reported = why or (None if self.subscribed else self._reported)

    def _published(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        if not self._reader.confirmed(mid):
            self.on_published(mid)

    def _disconnected(self, *args: object) -> None:
        was, self.connected, self.subscribed = self.connected, False, False
        first, self._open = self._open, False  # paho may tell one loss twice
        if not first or self._closing or self._held:
            return
        reason = args[3] if len(args) > 3 else "connection lost"
        if not was:
            mute = self._mute() or str(reason) == KEEP_ALIVE
            # Lost before CONNACK: some brokers answer an unknown protocol version by hanging up.
            if not self._version_known and not mute:
                self._version = V311 if self._version == V5 else V5
            self._failed(f"{self.broker} {'does not answer' if mute else f'hung up: {reason}'}")
            return
        self.reconnects += 1
        if not self._terms.keep and self.subscriptions.grants.hung_up():
            rename(self._client, self.client_id)
        lived = monotonic_s() - self._connected_at
        if lived >= STABLE_S:
            self._dialer.lasted()
            self._early_losses = 0
        else:
            self._early_losses += 1
        self._failed(f"lost {self.broker}: {reason}")

    def _failed(self, why: str) -> None:
        """Plan the next dial; say each trouble once. The next node is asked at once, and after each round a pause."""
        was, wanted = self._client.protocol, self._version
        older = (was, wanted) == (V5, V311)  # it has answered, and is asked in the other version
        if not older:
            self.broker = self.broker.next_node()
        self._dialer.failed(0 if older else len(self.broker.nodes))
        then = "trying MQTT 3.1.1" if older else f"trying {self.broker}" if self.broker.others else "trying again"
        self._troubles.tell(why, then, logging.INFO if older else logging.WARNING)
        self._reported = why
        if was != wanted:
            self._new_client()
