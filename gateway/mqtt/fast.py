"""The fast receive path: whole reads from the socket, PUBLISH frames parsed in bulk, acknowledgements in one write.

Everything that is no PUBLISH goes to paho's own packet handler, and all writes pass through paho's queue, so the
session, its keep-alive and its state stay paho's. This needs a few of paho's private names; `fits` checks that they
are there, and the plain path serves where they are not. Measured against stock paho in docs/performance.md.

What only the newest matters of (`publish_latest`) is sent here too: paho looks through all its unconfirmed messages at
every PUBACK, so a start with 20,000 documents would take it minutes.
"""

import logging
from collections.abc import Iterable, Sequence

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt import MQTTException  # noqa: TID251
from paho.mqtt.enums import MQTTProtocolVersion  # noqa: TID251

from gateway.base.clock import monotonic_s
from gateway.mqtt.latest import Latest
from gateway.mqtt.reader import Arrivals

log = logging.getLogger(__name__)

READ_BYTES = 262_144
LITTLE_BYTES = 16_384  # one record of TLS: less would leave a rest there that no select sees
CONNACK, PUBLISH, PUBACK = 0x20, 0x30, 0x40
WINDOW = 1_000  # unconfirmed messages at a time, where the broker allows more
MAX_FRAME = 1 << 20  # a longer one is an attack or a broken stream

_PRIVATE = (
    "_in_packet", "_packet_handle", "_packet_queue", "_loop_rc_handle", "_last_bytes_received", "_sock_recv",
    "_mid_generate", "_max_inflight_messages",
)  # fmt: skip


class MalformedError(Exception):
    """The stream is no MQTT: the connection must end."""


class RefusedError(Exception):
    """The broker won't have us; the session was told why."""


class FastReader:
    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._rest = b""
        self._version5 = client.protocol == MQTTProtocolVersion.MQTTv5
        self._latest = Latest()

    @staticmethod
    def fits(client: paho.Client) -> bool:
        """True when this paho has the inside we know."""
        return all(hasattr(client, name) for name in _PRIVATE) and set(getattr(client, "_in_packet", ())) >= {
            "command", "remaining_length", "packet", "pos",
        }  # fmt: skip

    def reset(self) -> None:
        self._rest, self._latest = b"", Latest()

    def opened(self, window: int) -> None:
        """Half of the window is paho's, for what is published one by one."""
        self._client._max_inflight_messages = max(1, min(window // 2, WINDOW))  # noqa: SLF001
        self._latest.open(min(window - window // 2, WINDOW))

    def read(self, *, little: bool = False) -> Arrivals | None:
        client = self._client
        arrivals = Arrivals()
        try:
            data = client._sock_recv(LITTLE_BYTES if little else READ_BYTES)  # noqa: SLF001
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            client._loop_rc_handle(paho.MQTT_ERR_CONN_LOST)  # noqa: SLF001
            return None
        client._last_bytes_received = monotonic_s()  # noqa: SLF001  what paho's keep-alive looks at
        stream = self._rest + data if self._rest else data
        try:
            used = self._parse(stream, arrivals)
        except RefusedError:
            client._loop_rc_handle(paho.MQTT_ERR_CONN_REFUSED)  # noqa: SLF001
            return None
        except (MalformedError, IndexError, MQTTException) as error:
            log.error("MQTT: the broker sent what is no MQTT (%s): ending the connection", error)
            client._loop_rc_handle(paho.MQTT_ERR_PROTOCOL)  # noqa: SLF001
            return arrivals if arrivals.frames else None
        self._rest = stream[used:]
        self._send_due()
        return arrivals if arrivals.frames else None

    def _parse(self, stream: bytes, arrivals: Arrivals) -> int:
        """Take all whole packets from `stream`; return how many bytes they had."""
        frames, mids, version5 = arrivals.frames.append, arrivals.mids.append, self._version5
        pos, size = 0, len(stream)
        while size - pos >= 2:
            first, length, head = stream[pos], stream[pos + 1], pos + 2
            if length & 0x80:
                length, head = _long_length(stream, pos + 1)
                if length < 0:
                    break
            end = head + length
            if end > size:
                break
            pos = end
            if first & 0xF0 != PUBLISH:
                self._control(first, stream[head:end])
                continue
            at = head + 2 + (stream[head] << 8 | stream[head + 1])
            topic = stream[head + 2 : at]
            if first & 0x06:
                if first & 0x04:
                    raise MalformedError("a QoS that we did not ask for")
                mids(stream[at] << 8 | stream[at + 1])
                at += 2
            if version5:
                skip = stream[at]
                at = at + 1 + skip if skip < 0x80 else _behind_properties(stream, at)
            if at > end:
                raise MalformedError("a message longer than its packet")
            frames((topic, stream[at:end], first & 0x0B))
        return pos

    def _control(self, command: int, body: bytes) -> None:
        if command == PUBACK and self._latest.confirmed(body[0] << 8 | body[1]):
            return
        client = self._client
        packet = client._in_packet  # noqa: SLF001
        packet["command"], packet["remaining_length"], packet["pos"] = command, len(body), 0
        packet["packet"] = bytearray(body)
        result = client._packet_handle()  # noqa: SLF001
        packet["command"], packet["packet"] = 0, bytearray()
        if result > 0:
            raise RefusedError if command == CONNACK else MalformedError(f"packet type {command >> 4}")

    def ack(self, mids: Sequence[int]) -> None:
        packets = b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids])
        self._client._packet_queue(PUBACK, packets, mids[-1], 1)  # noqa: SLF001

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self._queue([_retained(topic, payload, b"\0" if self._version5 else b"") for topic, payload in messages])

    def publish_latest(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self._latest.add(messages)
        self._send_due()

    def _send_due(self) -> None:
        packets = []
        for topic, payload in self._latest.due():
            mid = self._client._mid_generate()  # noqa: SLF001
            self._latest.sent(mid)
            middle = mid.to_bytes(2, "big") + (b"\0" if self._version5 else b"")
            packets.append(_retained(topic, payload, middle, 1))
        self._queue(packets)

    def jammed(self, moment: float) -> bool:
        return self._latest.jammed(moment)

    def confirmed(self, mid: int) -> bool:  # noqa: ARG002
        """Always False: paho knows nothing of our acknowledgements."""
        return False

    def _queue(self, packets: list[bytes]) -> None:
        if packets:
            self._client._packet_queue(PUBACK, b"".join(packets), 0, 1)  # noqa: SLF001


def _long_length(stream: bytes, at: int) -> tuple[int, int]:
    """The variable byte integer at `at` and where it ends; (-1, at) when it is not all there yet."""
    value, shift = 0, 0
    for step in range(4):
        if at + step >= len(stream):
            return -1, at
        byte = stream[at + step]
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            if value > MAX_FRAME:
                raise MalformedError(f"a packet of {value} bytes")
            return value, at + step + 1
        shift += 7
    raise MalformedError("a length that does not end")


def _behind_properties(stream: bytes, at: int) -> int:
    """Where the payload begins, of a message whose properties are longer than 127 bytes and begin at `at`."""
    length, start = _long_length(stream, at)
    if length < 0:
        raise MalformedError("properties that do not end")
    return start + length


def _retained(topic: str, payload: bytes, middle: bytes, qos: int = 0) -> bytes:
    """A retained PUBLISH packet; `middle` is what stands between topic and payload."""
    name = topic.encode()
    size = 2 + len(name) + len(middle) + len(payload)
    head = bytearray((0x31 | qos << 1,))
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return b"".join((head, len(name).to_bytes(2, "big"), name, middle, payload))
