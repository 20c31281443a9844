"""The hidden world's things, one class a kind: what is really so, and what an honest device says of it.

Times here are seconds of the world's own clock (local time, which `speed` may hurry).
"""

from collections.abc import Callable
from math import exp
from random import Random
from typing import NamedTuple, Protocol

from firmware_bridge.emulator.instruments import VirtualClimate, VirtualCounter, VirtualHazard
from firmware_bridge.emulator.truth import TrueSignals, Truth
from gateway.model import KindName, Resource


class Thing(Protocol):
    """One resource of the hidden world."""

    resource: Resource

    def signals(self, at: float) -> TrueSignals:
        """What an honest sensor reads at `at`, in the contract's signal names and units."""

    def truth(self) -> Truth: ...


class Seat:
    __slots__ = ("resource", "taken")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self.taken = False

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return {"occupied": self.taken}

    def truth(self) -> Truth:
        return Truth("occupied" if self.taken else "free")


class Room:
    __slots__ = ("people", "resource")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self.people = 0

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return {"people": self.people}

    def truth(self) -> Truth:
        return Truth("occupied" if self.people else "free", people=self.people)


CHAINED = "chained"
"""A feature of an emulated door that nobody ever opens, whatever the station's hours say."""
READER = "reader"
"""A door with it opens by card and locks itself; any other stands unlocked, unless it is chained."""


class VirtualDoor:
    __slots__ = ("held_until", "open", "resource")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self.open = False
        self.held_until = 0.0

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        by_card = READER in self.resource.features
        return {"open": self.open, "locked": (by_card and not self.open) or CHAINED in self.resource.features}

    def truth(self) -> Truth:
        return Truth("free")


class ChargingSession(NamedTuple):
    """One vehicle at a pile: full power until 80 % of the energy, then an exponential taper.

    With peak P and energy E the taper's time constant is 0.2 E/P, and after three of them (1.4 E/P in all) the battery
    takes no more. Closed form, so nothing is integrated.
    """

    begins: float
    energy_wh: float
    peak_w: float

    @property
    def full_at(self) -> float:
        return self.begins + 1.4 * 3600 * self.energy_wh / self.peak_w

    def power_w(self, at: float) -> float:
        hours, knee = (at - self.begins) / 3600, 0.8 * self.energy_wh / self.peak_w
        return self.peak_w if hours <= knee else self.peak_w * exp((knee - hours) / (0.25 * knee))

    def delivered_wh(self, at: float) -> float:
        hours, knee = max(0.0, at - self.begins) / 3600, 0.8 * self.energy_wh / self.peak_w
        if hours <= knee:
            return self.peak_w * hours
        return self.energy_wh * (1 - 0.2 * exp((knee - hours) / (0.25 * knee)))


class Charger:
    """`meter_wh` is the energy register up to the running session. Status words are OCPP 1.6's."""

    __slots__ = ("meter_wh", "resource", "session", "status")

    def __init__(self, resource: Resource, rng: Random) -> None:
        self.resource = resource
        self.meter_wh: float = rng.randrange(10_000, 900_000)
        self.status = "Available"
        self.session: ChargingSession | None = None

    def signals(self, at: float) -> TrueSignals:
        power_w, energy_wh = 0.0, self.meter_wh
        if self.session:
            power_w, energy_wh = self.session.power_w(at), energy_wh + self.session.delivered_wh(at)
        return {"status": self.status, "power_w": round(power_w, 1), "energy_wh": round(energy_wh, 1)}

    def stop(self, at: float) -> None:
        """End the flow of power; the plug may stay."""
        if self.session:
            self.meter_wh += self.session.delivered_wh(at)
            self.session = None

    def truth(self) -> Truth:
        return Truth("free" if self.status == "Available" else "occupied")


RUNNING_W = {"microwave": 1150.0, "water": 1800.0, "massage": 120.0}


class Appliance:
    __slots__ = ("resource", "running")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self.running = False

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        running_w = RUNNING_W.get(self.resource.type or "", 200.0)
        return {"status": "running" if self.running else "idle", "power_w": running_w if self.running else 1.5}

    def truth(self) -> Truth:
        return Truth("occupied" if self.running else "free")


class Units:
    """A locker or a car park: places that are alike and only counted."""

    __slots__ = ("resource", "taken", "total")

    def __init__(self, resource: Resource, _: Random) -> None:
        self.resource = resource
        self.total = resource.capacity or 12
        self.taken = 0

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return {"free": self.total - self.taken, "total": self.total}

    def truth(self) -> Truth:
        return Truth("occupied" if self.taken == self.total else "free", free=self.total - self.taken)


class Safety:
    """In its cabinet and charged, but for the rare moment when somebody looks at it."""

    __slots__ = ("cabinet_open", "expires", "resource")

    def __init__(self, resource: Resource, rng: Random) -> None:
        self.resource = resource
        self.expires = f"{2027 + rng.randrange(3)}-{rng.randrange(1, 13):02d}-01"
        self.cabinet_open = False

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        told: TrueSignals = {"ready": True, "expires": self.expires, "cabinet_open": self.cabinet_open}
        return told | {"battery_pct": 96} if self.resource.type == "aed" else told

    def truth(self) -> Truth:
        return Truth("occupied" if self.cabinet_open else "free")


class VirtualSupply:
    """A shelf that counts what lies on it."""

    __slots__ = ("count", "expires", "resource")

    def __init__(self, resource: Resource, rng: Random) -> None:
        self.resource, self.count = resource, rng.randrange(3, 20)
        self.expires = f"{2027 + rng.randrange(3)}-{rng.randrange(1, 13):02d}-01"

    def signals(self, at: float) -> TrueSignals:  # noqa: ARG002
        return {"level": "ok" if self.count > 3 else "low", "count": self.count, "expires": self.expires}

    def truth(self) -> Truth:
        return Truth("free" if self.count else "blocked")


THINGS: dict[KindName, Callable[[Resource, Random], Thing]] = {
    "seat": Seat,
    "room": Room,
    "charger": Charger,
    "door": VirtualDoor,
    "appliance": Appliance,
    "locker": Units,
    "parking": Units,
    "safety": Safety,
    "supply": VirtualSupply,
    "hazard": VirtualHazard,
    "climate": VirtualClimate,
    "counter": VirtualCounter,
}
