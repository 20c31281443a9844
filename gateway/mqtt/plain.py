"""The receive path that uses nothing but paho's public face."""

import logging
from collections.abc import Iterable, Sequence

import paho.mqtt.client as paho  # noqa: TID251
from paho.mqtt import MQTTException  # noqa: TID251

from gateway.model import DUP, QOS1, RETAINED
from gateway.mqtt.latest import Latest
from gateway.mqtt.reader import Arrivals

log = logging.getLogger(__name__)

PACKETS_A_LOOK, PACKETS_A_LITTLE_LOOK = 500, 50
WINDOW = 100  # paho looks through all that is unconfirmed at every PUBACK


class PlainReader:
    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._arrivals = Arrivals()
        self._latest = Latest()
        client.on_message = self._message

    def read(self, *, little: bool = False) -> Arrivals | None:
        self._arrivals = arrivals = Arrivals()
        for _ in range(PACKETS_A_LITTLE_LOOK if little else PACKETS_A_LOOK):
            before = len(arrivals.frames)
            try:
                done = self._client.loop_read()
            except MQTTException as error:
                log.error("MQTT: the broker sent what is no MQTT (%s): ending the connection", error)
                self._client.disconnect()
                break
            if done != paho.MQTT_ERR_SUCCESS or len(arrivals.frames) == before:
                break
        self._send_due()
        return arrivals if arrivals.frames else None

    def _message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic.encode()
        except UnicodeDecodeError:
            topic = b"\xff"  # not a topic: the pipeline refuses it and says so
        flags = (RETAINED if message.retain else 0) | (QOS1 if message.qos else 0) | (DUP if message.dup else 0)
        self._arrivals.frames.append((topic, bytes(message.payload), flags))
        if message.qos:
            self._arrivals.mids.append(message.mid)

    def ack(self, mids: Sequence[int]) -> None:
        for mid in mids:
            self._client.ack(mid, 1)

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            self._client.publish(topic, payload, qos=0, retain=True)

    def publish_latest(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self._latest.add(messages)
        self._send_due()

    def _send_due(self) -> None:
        for topic, payload in self._latest.due():
            self._latest.sent(self._client.publish(topic, payload, qos=1, retain=True).mid)

    def confirmed(self, mid: int) -> bool:
        return self._latest.confirmed(mid)

    def jammed(self, moment: float) -> bool:
        return self._latest.jammed(moment)

    def reset(self) -> None:
        self._latest.forget()  # but paho sends again what was not confirmed, so that still counts

    def opened(self, window: int) -> None:
        self._latest.open(min(window, WINDOW))
