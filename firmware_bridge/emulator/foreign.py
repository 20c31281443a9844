"""Foreign devices for demo and simulate: what the virtual devices of a town say, said in six other people's dialects.

One function a dialect: from the contract's signals to the messages that such a device would publish. Shapes are those
of tests/vectors/dialects; nothing here knows how the gateway reads them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from config.schema import AreaSettings, ResourceSettings, Settings
from firmware_bridge.emulator.configured import town_of
from firmware_bridge.emulator.device import Publish
from firmware_bridge.emulator.town import Town
from firmware_bridge.emulator.truth import TrueSignals
from gateway.model import Millis, Signal

Said = tuple[str, Any, bool]
"""Topic; a word, or an object to be written as JSON; retained."""

INTRODUCTION_MS: Final = 1_000  # who reads a description of a device needs a moment to listen to what it names
STANDBY_W: Final = 8.0  # a charger still plugged in draws a little, which is all that a plug can see of it


def zigbee2mqtt(topic: str, signals: TrueSignals, at: Millis) -> Iterable[Said]:
    """Motion, contact and plug."""
    body: dict[str, Any] = {"battery": 91, "linkquality": 120, "last_seen": _rfc3339(at)}
    if "occupied" in signals:
        body["occupancy"] = signals["occupied"]
    if "open" in signals or "cabinet_open" in signals:
        body["contact"] = not signals.get("open", signals.get("cabinet_open"))
    if "power_w" in signals:
        body |= {"state": "ON", "power": _watts(signals), "energy": _kwh(signals)}
    yield topic, body, False


def tasmota(topic: str, signals: TrueSignals, at: Millis) -> Iterable[Said]:
    """A metering plug; STATE tells the relay, SENSOR the power."""
    time = _rfc3339(at).removesuffix("Z")
    yield f"{topic}/STATE", {"Time": time, "POWER": "ON", "Wifi": {"RSSI": 86, "Signal": -57}}, False
    energy = {"Total": _kwh(signals), "Power": _watts(signals), "Voltage": 228}
    yield f"{topic}/SENSOR", {"Time": time, "ENERGY": energy}, False


def shelly(topic: str, signals: TrueSignals, at: Millis) -> Iterable[Said]:
    """A metering relay, told by notification."""
    meter = {"id": 0, "output": True, "apower": _watts(signals), "aenergy": {"total": signals.get("energy_wh", 0)}}
    params = {"ts": at / 1000, "switch:0": meter}
    yield (
        f"{topic}/events/rpc",
        {"src": topic, "dst": f"{topic}/events", "method": "NotifyStatus", "params": params},
        False,
    )


def homeassistant(topic: str, signals: TrueSignals, _at: Millis) -> Iterable[Said]:
    """A people counter that announced itself by `topic`; retained, since we listen only once we have read that."""
    yield f"{_node(topic)}/state", {"people": signals.get("people", 0)}, True


def esphome(topic: str, signals: TrueSignals, _at: Millis) -> Iterable[Said]:
    """A binary sensor; ESPHome retains its states."""
    yield f"{topic}/state", "ON" if signals.get("occupied") or signals.get("open") else "OFF", True


def chirpstack(topic: str, signals: TrueSignals, at: Millis) -> Iterable[Said]:
    """A LoRaWAN seat sensor with the vendor's decoder in the network server."""
    occupied = signals.get("occupied")
    occupancy = ("occupied" if occupied else "vacant") if isinstance(occupied, bool) else occupied
    yield (
        f"{topic}/event/up",
        {
            "time": _rfc3339(at),
            "deviceInfo": {"deviceName": topic.rpartition("/")[2]},
            "devAddr": f"{int(str(signals.get('boot', '0')), 16) % 2**32:08x}",
            "fCnt": signals.get("seq", 0),
            "fPort": 85,
            "object": {"battery": 98.0, "occupancy": occupancy},
            "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -71, "snr": 8.2}],
        },
        False,
    )


SPEAKERS: Final[Mapping[str, Callable[[str, TrueSignals, Millis], Iterable[Said]]]] = {
    "zigbee2mqtt": zigbee2mqtt,
    "tasmota": tasmota,
    "shelly": shelly,
    "homeassistant": homeassistant,
    "esphome": esphome,
    "chirpstack": chirpstack,
}
# What each of these devices can be a sensor of.
_KINDS: Final = {
    "zigbee2mqtt": ("seat", "door", "safety", "charger", "appliance"),
    "tasmota": ("charger", "appliance"),
    "shelly": ("charger", "appliance"),
    "homeassistant": ("room",),
    "esphome": ("seat", "door"),
    "chirpstack": ("seat",),
}


# Where a device speaks, for the noise of a broken one.
_MAIN: Final = {
    "tasmota": "{0}/SENSOR", "shelly": "{0}/events/rpc", "homeassistant": "{1}/state", "esphome": "{0}/state",
    "chirpstack": "{0}/event/up",
}  # fmt: skip


def presence(dialect: str, topic: str, online: bool) -> Iterable[Said]:
    """How the dialect says that the device is there; a LoRaWAN device can't say it."""
    word = "online" if online else "offline"
    match dialect:
        case "zigbee2mqtt":
            yield f"{topic}/availability", {"state": word}, True
        case "tasmota":
            yield f"{topic}/LWT", word.capitalize(), True
        case "shelly":
            yield f"{topic}/online", online, True
        case "homeassistant":
            yield topic, _announcement(_node(topic)), True
            yield f"{_node(topic)}/status", word, True
        case "esphome":
            yield f"{topic.partition('/')[0]}/status", word, True


def _announcement(node: str) -> dict[str, Any]:
    return {
        "~": node,
        "dev": {"ids": [node], "name": node},
        "o": {"name": "yizhan demo"},
        "avty_t": "~/status",
        "stat_t": "~/state",
        "cmps": {"people": {"p": "sensor", "uniq_id": f"{node}_people", "val_tpl": "{{ value_json.people }}"}},
    }


class Foreigners:
    """A town in which some devices speak otherwise. Has the face of `Town` that a `Player` needs.

    `accents`: (dialect, topic) of each (station, device) that is foreign.
    """

    def __init__(self, town: Town, accents: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        self._town, self._accents = town, accents
        self.suspended, self.acked, self.truth, self.inject = town.suspended, town.acked, town.truth, town.inject
        self._introduced: dict[tuple[str, str], Millis] = {}  # those that describe themselves, until when nobody hears
        self._newest: dict[tuple[str, str], Publish] = {}

    def next_due(self) -> Millis:
        """See `Town.next_due`."""
        return min([self._town.next_due(), *self._introduced.values()])

    def step(self, now: Millis) -> list[Publish]:
        """See `Town.step`."""
        messages = self._town.step(now)
        self._introduce(messages, now + INTRODUCTION_MS)
        for key in [key for key, until in self._introduced.items() if until <= now]:
            del self._introduced[key]
            if key in self._newest:
                messages.append(self._newest.pop(key))
        return self._translated(messages)

    def _introduce(self, messages: Iterable[Publish], until: Millis) -> None:
        for message in messages:
            key = message.station, message.device
            if self._accents.get(key, ("",))[0] != "homeassistant":
                continue
            if message.topic.endswith("/availability"):
                self._introduced[key] = until
            elif key in self._introduced:
                self._newest[key] = message

    def replay(self) -> list[Publish]:
        """See `Town.replay`. A foreign device keeps nothing, but says how things are now."""
        kept: list[Publish] = []
        newest: dict[tuple[str, str], Publish] = {}
        for publish in self._town.replay():
            if publish.retain or (publish.station, publish.device) not in self._accents:
                kept.append(publish)
            elif publish.topic.endswith("/state"):
                newest[publish.station, publish.device] = publish
        self._introduce([*kept, *newest.values()], self._town.next_due() + INTRODUCTION_MS)
        return self._translated([*kept, *newest.values()])

    def farewell(self) -> list[Publish]:
        """See `Town.farewell`."""
        return self._translated(self._town.farewell())

    def _translated(self, messages: Iterable[Publish]) -> list[Publish]:
        return [said for message in messages for said in self._say(message)]

    def _say(self, message: Publish) -> Iterable[Publish]:
        accent = self._accents.get((message.station, message.device))
        if accent is None:
            yield message
            return
        for topic, body, retain in _said(*accent, message):
            yield Publish(topic, _written(body), retain, message.station, message.device)


def _said(dialect: str, topic: str, message: Publish) -> Iterable[Said]:
    """A native message in that dialect; what can't be read stays the garbage it is, events have no words there."""
    try:
        body = json.loads(message.payload)
    except ValueError:
        return [(_MAIN.get(dialect, "{0}").format(topic, _node(topic)), message.payload, False)]
    if message.topic.endswith("/availability"):
        return presence(dialect, topic, body["state"] == "online")
    return SPEAKERS[dialect](topic, body, body["ts"]) if message.topic.endswith("/state") else ()


def mixed_station() -> dict[str, Any]:
    """The `stations` entry of a station in which six dialects are spoken."""

    def fed(id_: str, kind: str, dialect: str, topic: str, **more: Any) -> dict[str, Any]:
        source = {"dialect": dialect, "topic": topic} | more.pop("source", {})
        return {"id": id_, "kind": kind, "source": source, **more}

    lounge = [
        fed("seat-01", "seat", "zigbee2mqtt", "zigbee2mqtt/mixed/seat-01"),
        fed("seat-02", "seat", "esphome", "mixed-node/binary_sensor/seat_02"),
        fed("seat-03", "seat", "chirpstack", "application/mixed/device/0101010101010103"),
        fed("hall", "room", "homeassistant", "homeassistant/device/mixed-hall/config", capacity=20,
            source={"field": "people"}),
        fed("microwave", "appliance", "tasmota", "tele/mixed-microwave", type="microwave"),
    ]  # fmt: skip
    yard = [
        fed("pile-01", "charger", "shelly", "shellyplus1pm-mixed", type="ebike"),
        fed("pile-02", "charger", "zigbee2mqtt", "zigbee2mqtt/mixed/pile-02", type="ebike"),
        fed("door-main", "door", "zigbee2mqtt", "zigbee2mqtt/mixed/front-door"),
        fed("aed", "safety", "zigbee2mqtt", "zigbee2mqtt/mixed/aed", type="aed"),
    ]
    return {
        "id": "mixed",
        "name": {"zh": "混合设备示范驿站", "en": "Mixed devices rest station"},
        "region": ["广东", "江门", "鹤山"],
        "location": {"lat": 22.768, "lon": 112.961},
        "hours": "24/7",
        "areas": [
            {"id": "lounge", "name": {"zh": "休息区", "en": "Lounge"}, "resources": lounge},
            {"id": "yard", "name": {"zh": "充电区", "en": "Charging"}, "resources": yard},
        ],
    }


def foreign_town(settings: Settings, start: Millis, **options: Any) -> Foreigners:
    """Like `town_of`, with a device also for every resource whose `source` is of a make that we can imitate."""
    accents = {
        (station.id, item.device_id): (item.source.dialect, item.source.topic)
        for station, _, item in settings.resources()
        if item.source is not None and _imitated(item)
    }
    return Foreigners(town_of(_as_if_native(settings), start, **options), accents)


def _imitated(item: ResourceSettings) -> bool:
    return item.source is not None and item.kind in _KINDS.get(item.source.dialect, ())


def _as_if_native(settings: Settings) -> Settings:
    """As the town must see it: what we imitate is a device of ours."""
    stations = [
        station.model_copy(update={"areas": tuple(_native_area(area) for area in station.areas)})
        for station in settings.stations
    ]
    return settings.model_copy(update={"stations": tuple(stations)})


def _native_area(area: AreaSettings) -> AreaSettings:
    items = (replace(resource, source=None) if _imitated(resource) else resource for resource in area.resources)
    return area.model_copy(update={"resources": tuple(items)})


def _node(topic: str) -> str:
    """`homeassistant/device/NODE/config` → NODE."""
    return topic.rpartition("/")[0].rpartition("/")[2]


def _written(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()


def _watts(signals: TrueSignals) -> Signal:
    watts = signals.get("power_w", 0)
    if not isinstance(watts, int | float):
        return watts  # a device with the wrong types in it says so in every language
    plugged_in = signals.get("status") not in ("Available", "Unavailable", "idle", None)
    return max(watts, STANDBY_W) if plugged_in else watts


def _kwh(signals: TrueSignals) -> Signal:
    energy_wh = signals.get("energy_wh", 0)
    return round(energy_wh / 1000, 3) if isinstance(energy_wh, int | float) else energy_wh


def _rfc3339(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
