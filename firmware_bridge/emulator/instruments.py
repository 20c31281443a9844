"""Instruments of the hidden world: what nobody occupies. They are honest, and nothing ever burns."""

from datetime import timedelta
from math import pi, sin
from random import Random

from config.kinds import SPECS
from firmware_bridge.emulator.truth import TrueSignals, Truth
from gateway.model import Resource, Signal

DAY_S = timedelta(days=1).total_seconds()


class VirtualHazard:
    """A detector that never has anything to warn of."""

    __slots__ = ("resource",)

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return {"alarm": False, "battery_pct": 91}

    def truth(self) -> Truth:
        return Truth("free")


class VirtualClimate:
    """Warmest at three in the afternoon, driest then as well."""

    __slots__ = ("_mean_c", "resource")

    def __init__(self, resource: Resource, rng: Random) -> None:
        self.resource = resource
        self._mean_c = rng.uniform(21, 25)

    def signals(self, at: float) -> TrueSignals:
        wave = sin(2 * pi * (at % DAY_S - 9 * 3600) / DAY_S)
        return {
            "temperature_c": round(self._mean_c + 3 * wave, 1),
            "humidity_pct": round(58 - 9 * wave),
            "co2_ppm": round(620 + 180 * wave),
        }

    def truth(self) -> Truth:
        return Truth("free")


class VirtualCounter:
    """Totals of those who came in and went out since it was made."""

    __slots__ = ("ins", "outs", "resource")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self.ins = self.outs = 0

    def passed(self, *, inwards: bool) -> None:
        self.ins += inwards
        self.outs += not inwards

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return {"in": self.ins, "out": self.outs}

    def truth(self) -> Truth:
        return Truth("free")


class AtRest:
    """A thing of a kind that the emulator does not know: its signals as they are when nothing happens."""

    __slots__ = ("_says", "resource")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self._says: TrueSignals = {}
        for signal in SPECS[resource.kind].signals:
            rest: dict[str, Signal] = {"flag": False, "count": 0, "number": 0.0}
            if signal.type in rest:
                self._says[signal.name] = rest[signal.type]
            elif signal.words:
                self._says[signal.name] = signal.words[0]

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return dict(self._says)

    def truth(self) -> Truth:
        return Truth("free")
