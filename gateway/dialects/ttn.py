"""The Things Stack v3: uplinks with a `decoded_payload`.

Source: TheThingsIndustries/lorawan-stack-docs, data formats. `topic` is `v3/APP@TENANT/devices/DEV` with or without
`/up`. In the envelope an absent number is 0; in the decoded payload absent is unsaid. QoS 0 only: what is published
while we are away is lost. Simulated uplinks are test traffic and never reach a resource.
"""

from typing import Final

import msgspec

from gateway.dialects.base import (
    Decoded,
    Overheard,
    Source,
    read,
)
from gateway.dialects.shared import lorawan, values
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.model import Millis, Resource

TOPICS: Final = ("v3/",)


class _Reception(msgspec.Struct, gc=False):
    rssi: float | None = None


class _Ids(msgspec.Struct, gc=False, frozen=True):
    dev_addr: str | None = None


class _Message(msgspec.Struct, gc=False):
    decoded_payload: dict[str, object] | None = None
    frm_payload: str | None = None
    session_key_id: str | None = None
    f_cnt: int = 0
    rx_metadata: list[_Reception] = []
    received_at: str | None = None


class _Uplink(msgspec.Struct, gc=False):
    """The part of an application uplink we use."""

    end_device_ids: _Ids = _Ids()
    uplink_message: _Message | None = None
    received_at: str | None = None
    simulated: bool = False


_uplink: Final = msgspec.json.Decoder(_Uplink).decode


class TheThingsStack:
    """One LoRaWAN device."""

    __slots__ = ("_meaning", "_rules", "_tells_raw", "_up", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        names = lorawan.names()
        self._meaning = Meaning(source, resource, names)
        self._rules = self._meaning.rules(names)
        self._up = source.topic.removesuffix("/up") + "/up"
        self._tells_raw = False  # some servers are set to leave frm_payload out
        self.filters = (self._up,)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic != self._up:
            return None
        uplink = read(_uplink, payload)
        message = uplink.uplink_message
        if message is None or uplink.simulated:
            return None
        signals = ReadSignals()
        # What a server decodes from an uplink without a payload is a made-up value.
        self._tells_raw = self._tells_raw or bool(message.frm_payload)
        body = (message.decoded_payload or {}) if message.frm_payload or not self._tells_raw else {}
        ignored = self._meaning.read(self._rules, body, signals)
        if self._meaning.picks:
            self._meaning.take({"uplink_message": {"decoded_payload": body}, "decoded_payload": body}, signals)
        heard = [gateway.rssi for gateway in message.rx_metadata if gateway.rssi is not None]
        if heard:
            self._meaning.put(signals, "rssi_dbm", values.rssi_dbm, max(heard))
        session = message.session_key_id or uplink.end_device_ids.dev_addr
        time = message.received_at or uplink.received_at
        return self._meaning.decoded(lorawan.header(session, message.f_cnt, time), signals, ignored)


bind = TheThingsStack


def hear(topic: str, payload: bytes) -> Overheard | None:
    """An uplink of `v3/…/devices/…`."""
    if not topic.startswith("v3/") or not topic.endswith("/up"):
        return None
    message = read(_uplink, payload).uplink_message
    body = message.decoded_payload if message else None
    return Overheard(topic, lorawan.facts(body or {}), topic.split("/")[-2])
