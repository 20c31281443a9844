"""The fast receive path: whole reads from the socket, PUBLISH frames parsed in bulk, acknowledgements in one write.

Everything that is no PUBLISH goes to paho's own packet handler, and all writes pass through paho's queue, so the
session, its keep-alive and its state stay paho's. This needs four of paho's private names; `fits` checks that they
are there, and the plain path serves where they are not. Measured against stock paho in docs/performance.md.
"""

from collections.abc import Iterable, Sequence

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt.enums import MQTTProtocolVersion  # noqa: TID251

from gateway.clock import monotonic_s
from gateway.mqtt.reader import Arrivals

READ_BYTES = 262_144
PUBLISH, PUBACK = 0x30, 0x40
MAX_FRAME = 1 << 20  # a longer one is an attack or a broken stream

_PRIVATE = ("_in_packet", "_packet_handle", "_packet_queue", "_loop_rc_handle", "_last_bytes_received", "_sock_recv")


class MalformedError(Exception):
    """The stream is no MQTT: the connection must end."""


class FastReader:
    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._rest = b""
        self._version5 = client.protocol == MQTTProtocolVersion.MQTTv5

    @staticmethod
    def fits(client: paho.Client) -> bool:
        """True when this paho has the inside we know."""
        return all(hasattr(client, name) for name in _PRIVATE) and set(getattr(client, "_in_packet", ())) >= {
            "command", "remaining_length", "packet", "pos",
        }  # fmt: skip

    def reset(self) -> None:
        self._rest = b""

    def read(self) -> Arrivals | None:
        client = self._client
        arrivals = Arrivals()
        try:
            data = client._sock_recv(READ_BYTES)  # noqa: SLF001
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
        except (MalformedError, IndexError):
            client._loop_rc_handle(paho.MQTT_ERR_PROTOCOL)  # noqa: SLF001
            return arrivals if arrivals.frames else None
        self._rest = stream[used:]
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
            if first & 0xF0 == PUBLISH:
                at = head + 2 + (stream[head] << 8 | stream[head + 1])
                topic = stream[head + 2 : at]
                if first & 0x06:
                    mids(stream[at] << 8 | stream[at + 1])
                    at += 2
                if version5:
                    skip = stream[at]
                    at += 1 + skip
                    if skip & 0x80:
                        skip, at = _long_length(stream, at - 1 - skip)
                        at += skip
                if at > end:
                    raise MalformedError
                frames((topic, stream[at:end], first & 0x09))
            else:
                self._control(first, stream[head:end])
            pos = end
        return pos

    def _control(self, command: int, body: bytes) -> None:
        client = self._client
        packet = client._in_packet  # noqa: SLF001
        packet["command"], packet["remaining_length"], packet["pos"] = command, len(body), 0
        packet["packet"] = bytearray(body)
        result = client._packet_handle()  # noqa: SLF001
        packet["command"], packet["packet"] = 0, bytearray()
        if result > 0:
            raise MalformedError

    def ack(self, mids: Sequence[int]) -> None:
        packets = b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids])
        self._client._packet_queue(PUBACK, packets, mids[-1], 1)  # noqa: SLF001

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        packets = b"".join([_retained(topic.encode(), payload, self._version5) for topic, payload in messages])
        if packets:
            self._client._packet_queue(PUBACK, packets, 0, 1)  # noqa: SLF001


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
                raise MalformedError
            return value, at + step + 1
        shift += 7
    raise MalformedError


def _retained(topic: bytes, payload: bytes, version5: bool) -> bytes:
    """A PUBLISH packet, QoS 0, retained."""
    body = len(topic).to_bytes(2, "big") + topic + (b"\0" if version5 else b"") + payload
    size, head = len(body), bytearray((0x31,))
    while True:
        size, digit = divmod(size, 128)
        head.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(head) + body
