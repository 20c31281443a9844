"""One MQTT connection kept alive by the thread that polls it.

`poll` does everything: dials, subscribes, reads, writes, keeps alive, reconnects with full jitter. Received messages
come back as `Arrivals`; each is acknowledged by `ack` when the caller has made it durable. An acknowledgement for an
older connection (`epoch`) is dropped: its message id may by now belong to another message, and the broker delivers
the unacknowledged one again anyway.
"""

import contextlib
import logging
import random
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: TID251
from paho.mqtt.packettypes import PacketTypes  # noqa: TID251
from paho.mqtt.properties import Properties  # noqa: TID251
from paho.mqtt.reasoncodes import ReasonCode  # noqa: TID251
from paho.mqtt.subscribeoptions import SubscribeOptions  # noqa: TID251

from gateway.clock import monotonic_s
from gateway.mqtt.fast import FastReader
from gateway.mqtt.plain import PlainReader
from gateway.mqtt.reader import DUP, RETAINED, Arrivals

__all__ = ["DUP", "RETAINED", "Arrivals", "Broker", "Session", "Will"]

log = logging.getLogger(__name__)

V311, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
BACKOFF_S = 1.0  # the longest first pause; each further one may be twice as long, up to `reconnect_max_s`
STABLE_S = 10.0  # a connection that lived so long resets the back-off
DIAL_TIMEOUT_S = 5.0
MAX_PACKET = 65_536
TAKEOVERS = 3  # so many losses within STABLE_S of a success: somebody else uses our client id


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to enter. `version` 0 means: 5 where it is spoken, else 3.1.1."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes
    retain: bool = True


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
        self.broker, self.client_id, self.filters = broker, client_id, tuple(filters)
        self.connected = False
        self.subscribed = False
        self.epoch = 0
        self.gaps = 0  # times the broker had forgotten a session that we believed in
        self.reconnects = 0
        self.on_connect: Callable[[bool], None] = lambda _session_present: None
        self.on_published: Callable[[int], None] = lambda _mid: None
        self._will, self._keep, self._expiry_s, self._keepalive_s, self._fast = will, keep, expiry_s, keepalive_s, fast
        self._reconnect_max_s, self._receive_maximum = reconnect_max_s, receive_maximum
        self._version = V311 if broker.version == 4 else V5
        self._wake_r, self._wake_w = socket.socketpair()
        for end in (self._wake_r, self._wake_w):
            end.setblocking(False)
        self._dialing: threading.Thread | None = None
        self._dial_error: str | None = None
        self._dial_at = 0.0
        self._failures = 0
        self._connected_at = 0.0
        self._early_losses = 0
        self._had_session = False
        self._version_known = broker.version != 0
        self._greeting: bool | None = None  # session_present of a connection that nobody was told of yet
        self._granting: set[int] = set()  # subscriptions that the broker has not answered yet
        self._open = False
        self._closing = False
        self._held = False
        self._reported: str | None = None
        self._new_client()

    # ---- what callers use ----

    def poll(self, timeout_s: float) -> Arrivals | None:
        """Wait at most `timeout_s` for something to do, do it, and return what arrived."""
        if not self._ready_to_read():
            resting = self._dialing is not None or self._held or self._closing
            self._wait_for_wake(timeout_s if resting else min(timeout_s, max(0.0, self._dial_at - monotonic_s())))
            return None
        sock = cast("socket.socket | None", self._client.socket())
        if sock is None:
            return None
        arrivals = self._reader.read() if self._wait(sock, timeout_s) else None
        if self._greeting is not None:
            # Only now: what is published within paho's callback would be counted as in flight and never sent.
            greeting, self._greeting = self._greeting, None
            self.on_connect(greeting)
        if arrivals is not None:
            arrivals.epoch = self.epoch  # only now: the read may have begun with the CONNACK
        self._client.loop_misc()
        if self._client.want_write():
            self._client.loop_write()
        return arrivals

    def ack(self, epoch: int, mids: Sequence[int]) -> None:
        """Acknowledge in the given order, all in one write; nothing happens for an older connection."""
        if mids and self.connected and epoch == self.epoch:
            self._reader.ack(mids)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """Send, and return the message id; None when not connected or when the broker would refuse the size."""
        if not self.connected or len(payload) + len(topic) + 16 > self._max_packet:
            return None
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        return info.mid if info.rc == paho.MQTT_ERR_SUCCESS else None

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send retained QoS 0 messages at the least cost; the caller repeats them if they matter."""
        if self.connected:
            self._reader.publish_many(messages)

    def publish_latest(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send retained QoS 1 messages of which only the newest of a topic matters.

        None is sent again after a reconnect: the caller says all of them anew.
        """
        if self.connected:
            self._reader.publish_latest([one for one in messages if len(one[1]) + len(one[0]) + 16 <= self._max_packet])

    def subscribe(self, filters: Sequence[str]) -> None:
        """Listen to these topics too, from now on and after every reconnect."""
        fresh = tuple(one for one in filters if one not in self.filters)
        self.filters += fresh
        if self.connected and fresh:
            self._subscribe(fresh)

    def wake(self) -> None:
        """End the present `poll` early. Any thread may call it."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_w.send(b"\0")

    def hold(self) -> None:
        """Leave the broker until `resume`: it keeps for us what we could not take."""
        self._held = True
        if self._client.socket() is not None:
            self._client.disconnect()

    def resume(self) -> None:
        self._held = False

    @property
    def held(self) -> bool:
        return self._held

    @property
    def protocol(self) -> str:
        return "5" if self._version == V5 else "3.1.1"

    @property
    def trouble(self) -> str | None:
        """Why nothing is received, in words; None while connected and allowed to listen."""
        return (
            self._reported
            if self.connected
            else (self._reported or f"{self.broker.host}:{self.broker.port}: not connected yet")
        )

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
        if self._client.socket() is not None:
            self._client.disconnect()
            while self._client.socket() is not None and self._client.want_write() and monotonic_s() < end:
                self._client.loop_write()
        if self._dialing is not None:
            self._dialing.join(timeout_s)
        self._wake_r.close()
        self._wake_w.close()

    # ---- connecting ----

    def _new_client(self) -> None:
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=None if self._version == V5 else not self._keep,
            protocol=self._version,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = DIAL_TIMEOUT_S
        client.max_inflight_messages_set(1_000)
        client.max_queued_messages_set(100_000)
        if self.broker.tls is not None:
            client.tls_set_context(self.broker.tls)
        if self.broker.username is not None:
            client.username_pw_set(self.broker.username, self.broker.password)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_publish = self._published
        # An external loop: paho must queue what callbacks send, and our poll writes it.
        client.on_socket_register_write = lambda *_: None
        client.on_socket_unregister_write = lambda *_: None
        self._reader = FastReader(client) if self._fast and FastReader.fits(client) else PlainReader(client)
        self._max_packet = MAX_PACKET

    def _ready_to_read(self) -> bool:
        """True when there is a socket; dials in a thread of its own so that the caller's deadlines are kept."""
        if self._dialing is not None:
            if self._dialing.is_alive():
                return False
            self._dialing = None
            if self._dial_error is not None:
                self._failed(self._dial_error)
                return False
        if self._client.socket() is not None:
            return True
        if self._held or self._closing or monotonic_s() < self._dial_at:
            return False
        self._dial_error = None
        self._open = True
        self._reader.reset()
        self._dialing = threading.Thread(target=self._dial, name=f"dial-{self.client_id}", daemon=True)
        self._dialing.start()
        return False

    def _dial(self) -> None:
        try:
            if self._version == V5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.SessionExpiryInterval = self._expiry_s if self._keep else 0
                properties.ReceiveMaximum = self._receive_maximum
                properties.MaximumPacketSize = MAX_PACKET
                self._client.connect_async(
                    self.broker.host, self.broker.port, self._keepalive_s,
                    clean_start=not self._keep, properties=properties,
                )  # fmt: skip
            else:
                self._client.connect_async(self.broker.host, self.broker.port, self._keepalive_s)
            self._client.reconnect()
            sock = cast("socket.socket | None", self._client.socket())
            if sock is not None:  # else a short answer waits 40 ms for the acknowledgement of the one before
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError, ssl.SSLError) as error:
            self._dial_error = f"{self.broker.host}:{self.broker.port}: {error}"
        self.wake()

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
            self._failed(f"{self.broker.host}:{self.broker.port} refused us: {reason}")
            return
        self._version_known = True
        self.epoch += 1
        self.connected, self.subscribed = True, not self.filters
        self._connected_at = monotonic_s()
        self._max_packet = min(MAX_PACKET * 16, getattr(props, "MaximumPacketSize", MAX_PACKET * 16))
        self._reader.opened(getattr(props, "ReceiveMaximum", 65_535))
        if self._had_session and not flags.session_present:
            self.gaps += 1
        log.info("connected to %s:%d, MQTT %s", self.broker.host, self.broker.port, self.protocol)
        self._reported = None
        self._granting.clear()
        # MQTT 3.1.1 would send every retained message again; a kept session has our subscriptions already.
        if self._version == V5 or not (flags.session_present and self._had_session):
            self._subscribe(self.filters)
        else:
            self.subscribed = True
        self._had_session = self._keep
        self._greeting = bool(flags.session_present)

    def _subscribe(self, filters: Sequence[str]) -> None:
        if self._version == V5:
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            topics: list[tuple[str, SubscribeOptions | int]] = [(one, options) for one in filters]
        else:
            topics = [(one, 1) for one in filters]
        for start in range(0, len(topics), 500):
            _, mid = self._client.subscribe(topics[start : start + 500])  # type: ignore[arg-type]
            if mid is not None:
                self._granting.add(mid)

    def _subscribed(self, _client: object, _data: object, mid: int, reasons: Sequence[ReasonCode], *_: object) -> None:
        self._granting.discard(mid)
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._reported = f"{self.broker.host}:{self.broker.port} won't let us listen: {refused[0]}"
            log.error("MQTT: %s; mend its access list", self._reported)
        self.subscribed = not self._granting and self._reported is None

    def _published(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        self.on_published(mid)

    def _disconnected(self, *args: object) -> None:
        was, self.connected, self.subscribed = self.connected, False, False
        first, self._open = self._open, False  # paho may tell one loss twice
        if not first or self._closing or self._held:
            return
        reason = args[3] if len(args) > 3 else "connection lost"
        if not was:
            # Lost before CONNACK: some brokers answer an unknown protocol version by hanging up.
            if not self._version_known:
                self._version = V311 if self._version == V5 else V5
            self._failed(f"{self.broker.host}:{self.broker.port} hung up: {reason}")
            return
        self.reconnects += 1
        lived = monotonic_s() - self._connected_at
        if lived >= STABLE_S:
            self._failures = self._early_losses = 0
        else:
            self._early_losses += 1
        self._failed(f"lost {self.broker.host}:{self.broker.port}: {reason}")

    def _failed(self, why: str) -> None:
        """Plan the next dial; say each trouble once."""
        longest = min(self._reconnect_max_s, BACKOFF_S * 2 ** min(self._failures, 12))
        self._dial_at = monotonic_s() + random.uniform(0.05, max(0.05, longest))  # noqa: S311
        self._failures += 1
        if why != self._reported:
            log.warning("MQTT: %s; trying again", why)
            self._reported = why
        if self._client.protocol != self._version:
            self._new_client()

    # ---- waiting ----

    def _wait(self, sock: socket.socket, timeout_s: float) -> bool:
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        poller = select.poll()
        poller.register(sock, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poller.register(self._wake_r, select.POLLIN)
        readable = False
        for number, event in poller.poll(timeout_s * 1000):
            if number == self._wake_r.fileno():
                self._drain_wake()
            elif event & ~select.POLLOUT:
                readable = True
        return readable

    def _wait_for_wake(self, timeout_s: float) -> None:
        poller = select.poll()
        poller.register(self._wake_r, select.POLLIN)
        if poller.poll(timeout_s * 1000):
            self._drain_wake()

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_r.recv(4096):
                pass
