"""ChirpStack v4: uplinks with a decoded `object`, and device status.

Source: chirpstack/chirpstack-docs, integrations/events. `topic` is `application/A/device/E` with or without
`/event/up`; `field: object.occupancy` picks the main value. An uplink repeated by the server keeps its identity.
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

TOPICS: Final = ("application/",)


class _Reception(msgspec.Struct, gc=False):
    rssi: int | None = None


class _Info(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    device_name: str | None = None


class _Uplink(msgspec.Struct, gc=False, rename="camel"):
    """The part of `UplinkEvent` we use. Older servers leave out zeros, newer ones write them."""

    decoded: dict[str, object] | None = msgspec.field(default=None, name="object")
    data: str | None = None
    time: str | None = None
    dev_addr: str | None = None
    f_cnt: int = 0
    rx_info: list[_Reception] = []
    device_info: _Info = _Info()


class _Status(msgspec.Struct, gc=False, rename="camel"):
    time: str | None = None
    battery_level: float | None = None
    battery_level_unavailable: bool = False
    external_power_source: bool = False


_uplink: Final = msgspec.json.Decoder(_Uplink).decode
_status: Final = msgspec.json.Decoder(_Status).decode


class ChirpStack:
    """One LoRaWAN device."""

    __slots__ = ("_meaning", "_rules", "_status", "_up", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        names = lorawan.names()
        self._meaning = Meaning(source, resource, names)
        self._rules = self._meaning.rules(names)
        base = source.topic.removesuffix("/event/up")
        self._up, self._status = f"{base}/event/up", f"{base}/event/status"
        self.filters = (self._up, self._status)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        signals = ReadSignals()
        if topic == self._up:
            uplink = read(_uplink, payload)
            # What a server decodes from an uplink without a payload is a made-up value; some leave `data` out.
            body = {} if uplink.data == "" else uplink.decoded or {}
            ignored = self._meaning.read(self._rules, body, signals)
            if self._meaning.picks:
                self._meaning.take({"object": body}, signals)
            heard = [gateway.rssi for gateway in uplink.rx_info if gateway.rssi is not None]
            if heard:
                self._meaning.put(signals, "rssi_dbm", values.rssi_dbm, max(heard))
            return self._meaning.decoded(lorawan.header(uplink.dev_addr, uplink.f_cnt, uplink.time), signals, ignored)
        if topic == self._status:
            status = read(_status, payload)
            told = not (status.battery_level_unavailable or status.external_power_source)
            if status.battery_level is not None and told:
                self._meaning.put(signals, "battery_pct", values.battery_pct, status.battery_level)
            return self._meaning.decoded(lorawan.header(None, 0, status.time), signals, 0)
        return None


bind = ChirpStack


def hear(topic: str, payload: bytes) -> Overheard | None:
    """An uplink of `application/…/device/…`."""
    if not topic.startswith("application/") or not topic.endswith("/event/up"):
        return None
    uplink = read(_uplink, payload)
    return Overheard(topic, lorawan.facts(uplink.decoded or {}), uplink.device_info.device_name)
