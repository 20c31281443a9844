"""A line is offered only if it reads the messages that it was made from."""

from collections.abc import Mapping
from typing import Any, Final

from config.kinds import SPECS
from config.schema import AreaSettings
from gateway.dialects import BadSource, Decoder, Source, Unreadable, bind
from gateway.dialects.discover.overheard import OverheardDevice, Sample
from gateway.dialects.native import Native
from gateway.dialects.shared.facts import MAINS
from gateway.model import KindName, Resource, Signal

_TOLD_AS_TEXT: Final = frozenset({"text"})  # what a device writes freely is not shown
_SPEAKS_LATER: Final = "homeassistant"


class Unfit(ValueError):  # noqa: N818 - a verdict on a line, not a fault of ours
    """Why a line is of no use. `reason`: not_kept, bad_line, bad_source, unreadable, no_value."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def read_by(item: Mapping[str, Any], device: OverheardDevice) -> dict[str, Signal]:
    """What the resource reads in the newest messages of the device that it was made from. Unfit if that is no value.

    A device that has described itself and not spoken yet tells nothing, and is believed.
    """
    kind = item["kind"]
    _check(item)
    decoder = _bound(item, device)
    samples = device.messages_of((*_made_from(kind, device), *device.heard.speaks_on))
    if not samples:
        raise Unfit("not_kept", "too much was heard to keep a message of it; listen again when it is calmer")
    signals: dict[str, Signal] = {}
    for sample in samples:
        signals |= _read(decoder, sample)
    _, needed = MAINS[kind]
    silent = device.dialect == _SPEAKS_LATER and len(decoder.filters) > 1 and len(samples) == 1
    if needed.isdisjoint(signals) and not silent:
        raise Unfit("no_value", f"what was heard tells no value of a {kind}")
    return _shown(kind, signals)


def _check(item: Mapping[str, Any]) -> None:
    """Raise unless the configuration takes the resource."""
    try:
        AreaSettings.model_validate({"id": "a", "resources": [dict(item)]})
    except ValueError:
        what = "its topic or name is too long, or has characters that none may have"
        raise Unfit("bad_line", f"no configuration can hold it: {what}") from None


def _bound(item: Mapping[str, Any], device: OverheardDevice) -> Decoder:
    """The decoder that the gateway would make for it."""
    resource = Resource("s", "a", item["id"], item["kind"], item["id"], item.get("type"))
    if device.dialect == "native":
        return Native(Source("native", device.heard.topic.removesuffix("/state")), resource)
    try:
        return bind(Source(**item["source"]), resource)
    except BadSource as error:
        raise Unfit("bad_source", str(error)) from None


def _made_from(kind: KindName, device: OverheardDevice) -> tuple[str, ...]:
    return tuple(fact for fact in device.heard.facts if fact in SPECS[kind].found_by)


def _read(decoder: Decoder, sample: Sample) -> Mapping[str, Signal]:
    try:
        decoded = decoder.decode(*sample, 0)
    except Unreadable as error:
        raise Unfit("unreadable", f"what was heard can't be read ({error.reason})") from None
    return {} if decoded is None or decoded.topic != "state" else decoded.signals


def _shown(kind: KindName, signals: Mapping[str, Signal]) -> dict[str, Signal]:
    """What may be shown of it, its own values first; and no free text, in which anything could stand."""
    known = {signal.name: signal.words for signal in SPECS[kind].signals if signal.type not in _TOLD_AS_TEXT}
    told = {
        name: signals[name]
        for name, words in known.items()
        if name in signals and (not words or signals[name] in words)
    }
    return told | {name: value for name, value in signals.items() if name == "battery_pct"}
