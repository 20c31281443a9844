"""What one CALL of a pile leads to, and what handlers of all versions share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from firmware_bridge.cards import without_numbers
from firmware_bridge.devices.base import DeviceReading
from firmware_bridge.ocpp.charging import ChargeBegin
from firmware_bridge.ocpp.frames import Payload
from firmware_bridge.ocpp.pile import ChargePoint
from firmware_bridge.ocpp.tokens import TokenDesk
from firmware_bridge.spool_charges import ChargeBook
from gateway.model import Millis

LONGEST_TEXT = 120
Step = Callable[[ChargeBook, Millis], Sequence[DeviceReading]]


@dataclass(slots=True)
class Reply:
    """`payload()` is the answer, asked when `readings` and `step` are on disk. `booted`: the pile has just begun.
    `begin` is the step of a start (1.6), for an operator's number to be put in.
    """

    payload: Callable[[], Payload] = dict
    readings: list[DeviceReading] = field(default_factory=list)
    step: Step | None = None
    booted: bool = False
    begin: ChargeBegin | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a handler is given beside the payload."""

    pile: ChargePoint
    tokens: TokenDesk
    now: Millis
    heartbeat_s: int = 60


Handler = Callable[[Scene, Payload], Reply]


def says(**payload: Any) -> Handler:
    """A handler that keeps nothing and answers always the same."""
    return lambda _scene, _payload: Reply(lambda: dict(payload))


def utc(now: Millis) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def heartbeat(scene: Scene, _payload: Payload) -> Reply:
    return Reply(lambda: {"currentTime": utc(scene.now)})


def booted(scene: Scene, vendor: object, model: object, firmware: object) -> Reply:
    """A pile has begun: who it is, and what program it runs."""
    pile = scene.pile
    pile.vendor, pile.model = _text(vendor), _text(model)
    news, pile.firmware = _text(firmware) != pile.firmware, _text(firmware)
    readings = []
    if news and pile.firmware:
        readings = [DeviceReading(device, {"firmware": pile.firmware}) for device in pile.devices]
    answer = {"currentTime": utc(scene.now), "interval": scene.heartbeat_s, "status": "Accepted"}
    return Reply(lambda: answer, readings, booted=True)


def security_event(scene: Scene, payload: Payload) -> Reply:
    """Told as an event; a tampering as such. What else it says is not kept."""
    kind = without_numbers(str(payload.get("type", ""))[:50])
    name = "tamper" if kind.startswith("TamperDetection") else "security_event"
    return Reply(dict, [DeviceReading(device, {"reason": kind}, name) for device in scene.pile.devices[:1]])


def error_text(code: object, vendor_code: object, info: object) -> str:
    """As the pile names its trouble: nothing for none, else the code with what the vendor says of it, without what may
    be the number of a card in his free words.
    """
    said = None if info is None else without_numbers(str(info))
    words = [str(word).strip() for word in (code, vendor_code, said) if word not in (None, "", "NoError")]
    return " ".join(word for word in words if word)[:LONGEST_TEXT]


def _text(value: object) -> str | None:
    text = str(value).strip()[:LONGEST_TEXT] if value is not None else ""
    return text or None
