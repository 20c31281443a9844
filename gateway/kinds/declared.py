"""A kind without a rule of its own: what its signals declare (config/kinds) is its value."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

from config.kinds import KindSpec, SignalType
from gateway.kinds.known import Known
from gateway.model import Millis, Use
from gateway.wire import Celsius, Code, Count, Event, Number, Percent, Signals, WattHours, Watts

_PAYLOAD: Final[Mapping[SignalType, object]] = MappingProxyType(
    {"flag": bool, "count": Count, "number": Number, "code": Code, "text": Code, "date": date}
)
_OF_UNIT: Final[Mapping[str, object]] = MappingProxyType({"W": Watts, "W.h": WattHours, "Cel": Celsius, "%": Percent})


def shape_of(spec: KindSpec) -> type[Struct]:
    """The payload that a kind's signals make, besides those of all kinds."""
    fields = []
    for signal in spec.signals:
        payload = _OF_UNIT.get(signal.unit or "") or _PAYLOAD[signal.type]
        fields.append((signal.name, payload | UnsetType, UNSET))
    return msgspec.defstruct("Shape", fields, bases=(Signals,), gc=False, forbid_unknown_fields=True)


def uses_of(spec: KindSpec, signal: str) -> dict[str, Use]:
    """What the words of a signal mean."""
    return cast("dict[str, Use]", dict(spec.signal(signal).uses))


class Declared:
    """The rule of a kind whose value follows from its signals one by one; of several the last one that is said."""

    WATCHED = False
    Value = Known

    def __init__(self, spec: KindSpec) -> None:
        self.Shape = shape_of(spec)
        self._uses = {signal.name: uses_of(spec, signal.name) for signal in spec.signals if signal.uses}

    def apply(self, known: Known, signals: Any, now: Millis) -> bool:  # noqa: ARG002
        told = False
        for name, uses in self._uses.items():
            value = getattr(signals, name)
            if value is UNSET:
                continue
            told = True
            known.status = value if isinstance(value, str) else str(value).lower()
            known.use = uses.get(known.status, "unknown")
            if isinstance(value, str) and value not in uses:
                known.counters.not_understood(known.resource, value)
        return told

    def repeats(self, known: Known, signals: Any) -> bool:  # noqa: ARG002
        return False

    def event(self, known: Known, event: Event, now: Millis) -> bool:  # noqa: ARG002
        return False

    def due(self, known: Known, now: Millis) -> Millis | None:  # noqa: ARG002
        return None
