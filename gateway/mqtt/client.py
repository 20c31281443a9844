"""paho's client as a session needs it: made for one broker, and entering there."""

import logging
import random
import socket
import ssl
from dataclasses import dataclass, field, replace
from typing import cast

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: TID251
from paho.mqtt.packettypes import PacketTypes  # noqa: TID251
from paho.mqtt.properties import Properties  # noqa: TID251
from paho.mqtt.subscribeoptions import SubscribeOptions  # noqa: TID251

from config.schema.base import HostPort

log = logging.getLogger(__name__)

V311, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
DIAL_TIMEOUT_S = 5.0
NAMES = 3
MAX_PACKET = 1 << 20  # a list of all devices of a large Zigbee network


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to enter. `version` 0 means: 5 where it is spoken, else 3.1.1.

    `others`: further nodes of the same cluster, which keep the same sessions. `configured`: all of them in the order of
    the configuration, where it is another one.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    version: int = 0
    others: tuple[HostPort, ...] = ()
    configured: tuple[HostPort, ...] = ()

    @property
    def nodes(self) -> tuple[HostPort, ...]:
        """This one, and then those whose turn is next."""
        return (HostPort(self.host, self.port), *self.others)

    def anywhere(self) -> "Broker":
        """The same cluster, its nodes in any order: so that its clients spread over them, and spread anew when one
        falls.
        """
        first, *others = random.sample(self.nodes, len(self.nodes))
        configured = self.configured or self.nodes
        return replace(self, host=first.host, port=first.port, others=tuple(others), configured=configured)

    def next_node(self) -> "Broker":
        """The same cluster by its next node; in the end it is this one's turn again."""
        if not self.others:
            return self
        (host, port), *rest = self.others
        return replace(self, host=host, port=port, others=(*rest, HostPort(self.host, self.port)))

    def __str__(self) -> str:
        return str(HostPort(self.host, self.port))


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """What we ask of the broker. With `keep` it keeps the session for `expiry_s`, with what comes meanwhile."""

    client_id: str
    will: Will | None
    keep: bool
    expiry_s: int
    keepalive_s: int
    receive_maximum: int


def new_client(broker: Broker, terms: Terms, version: MQTTProtocolVersion) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=terms.client_id,
        clean_session=None if version == V5 else not terms.keep,
        protocol=version,
        manual_ack=True,
        reconnect_on_failure=False,
    )
    client.connect_timeout = DIAL_TIMEOUT_S
    client.max_inflight_messages_set(1_000)
    client.max_queued_messages_set(100_000)
    if broker.tls is not None:
        client.tls_set_context(broker.tls)
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if terms.will is not None:
        client.will_set(terms.will.topic, terms.will.payload, qos=1, retain=terms.will.retain)
    # An external loop: paho must queue what callbacks send, and the session's poll writes it.
    client.on_socket_register_write = lambda *_: None
    client.on_socket_unregister_write = lambda *_: None
    return client


def asked_for(*, anew: bool) -> SubscribeOptions:
    """How to listen to a topic, by MQTT 5; `anew`: with what is retained though we listen to it already."""
    retained = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if anew else SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
    return SubscribeOptions(qos=1, retainHandling=retained)


def rename(client: paho.Client, client_id: str) -> None:
    """Enter by another id from the next connection on, with all that is still to be sent. Of a session that is not
    kept: there the broker may drop what it has under the old one.

    RabbitMQ 3.10 may keep a queue of it that is at no node any more, and hangs up whenever it is asked to listen. Few
    names take turns: NATS under load keeps what each had asked for, up to a limit.
    """
    entered_as = client._client_id.decode()  # noqa: SLF001
    names = [client_id, *(f"{client_id}-{number}" for number in range(2, NAMES + 1))]
    other = names[(names.index(entered_as) + 1) % NAMES]
    log.warning("MQTT: the broker hangs up when %s asks for its topics; entering as %s", client_id, other)
    client._client_id = other.encode()  # noqa: SLF001


def connect(client: paho.Client, broker: Broker, terms: Terms) -> None:
    """Reach the broker and queue our CONNECT. Blocks; OSError or ValueError when it can't be reached."""
    if client.protocol == V5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = terms.expiry_s if terms.keep else 0
        properties.ReceiveMaximum = terms.receive_maximum
        properties.MaximumPacketSize = MAX_PACKET
        client.connect_async(
            broker.host, broker.port, terms.keepalive_s, clean_start=not terms.keep, properties=properties
        )
    else:
        client.connect_async(broker.host, broker.port, terms.keepalive_s)
    client.reconnect()
    sock = cast("socket.socket | None", client.socket())
    if sock is not None:  # else a short answer waits 40 ms for the acknowledgement of the one before
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
