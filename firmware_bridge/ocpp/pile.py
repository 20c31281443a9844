"""One charge point: what is known of it and its connectors, over connections. No I/O, no clock.

A pile's clock may be wrong, and what it queued while it was offline comes late. So its time stamps are only compared
with one another: `offset_ms` is how far its clock stood from ours when it last told a status, and what is older than
that by `LATE_MS` tells nothing of now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from firmware_bridge.devices.base import DeviceReading
from gateway.model import Millis, Signal

LATE_MS = 120_000
TRUSTED_MS = 30 * 86_400_000  # beyond this a pile's time is none
AGAIN_MS = 55_000  # what holds is told again: a charger's word is good for three minutes
FRESH_MS = 300_000  # a measurement is told again for so long
RESTING = ("Available", "Unavailable", "Faulted", "Reserved", "Finishing", "Preparing")
"""Words in which nothing flows."""
WHOLE_OVERRULES = ("Unavailable", "Faulted")
STATUSES = frozenset((*RESTING, "Charging", "SuspendedEV", "SuspendedEVSE", "Occupied"))
_STATE_WORDS = {
    "Charging": "Charging", "EVConnected": "Preparing", "SuspendedEV": "SuspendedEV", "SuspendedEVSE": "SuspendedEVSE",
    "Idle": "Finishing",
}  # fmt: skip

OcppVersion = Literal["1.6", "2.0.1", "2.1"]


def time_of(text: object) -> Millis | None:
    """ms since 1970 of an RFC 3339 time; without offset it is UTC. None for anything else."""
    if not isinstance(text, str) or not 19 <= len(text) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(slots=True)
class Plug:
    """One connector, which is one device. `state` is the charging state of its `transaction` (2.x)."""

    device: str
    evse: int | None
    connector: int
    status: str | None = None
    state: str | None = None
    transaction: str | None = None
    error: str = ""
    power_w: float | None = None
    energy_wh: float | None = None
    measured_at: Millis = 0
    status_at: Millis | None = None  # by the pile's clock
    fresh: bool = False  # its status was told on this connection
    told_at: Millis = 0
    told: dict[str, Signal] = field(default_factory=dict)

    @property
    def word(self) -> str | None:
        """Its own status in the words of 1.6."""
        if self.status == "Occupied" and self.state is not None:
            return _STATE_WORDS.get(self.state, self.status)
        return self.status


@dataclass(slots=True)
class ChargePoint:
    charge_point: str
    plugs: tuple[Plug, ...]
    version: OcppVersion = "1.6"
    whole: str | None = None
    whole_error: str = ""
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    operator_away: bool | None = None  # of a relayed one: whether its operator hears nothing
    offset_ms: Millis = 0

    def __post_init__(self) -> None:
        self.devices = tuple(plug.device for plug in self.plugs)

    devices: tuple[str, ...] = ()

    def plug(self, connector: object, evse: object = None) -> Plug | None:
        """By its numbers: 1.6 has connectors, 2.x an EVSE and a connector of it (1 where none is said)."""
        for plug in self.plugs:
            if evse is None and plug.connector == connector:
                return plug
            own = (plug.evse, plug.connector) if plug.evse is not None else (plug.connector, 1)
            if evse is not None and own == (evse, 1 if connector is None else connector):
                return plug
        return None if evse is None or connector not in (None, 0) else self._only_one_of(evse)

    def _only_one_of(self, evse: object) -> Plug | None:
        """Some stations name no connector, or 0, where the EVSE has one."""
        fitting = [plug for plug in self.plugs if evse == (plug.evse if plug.evse is not None else plug.connector)]
        return fitting[0] if len(fitting) == 1 else None

    def plug_in(self, transaction: str) -> Plug | None:
        """Where a transaction of 2.x takes place, as far as it was told."""
        return next((plug for plug in self.plugs if plug.transaction == transaction), None)

    def plug_of(self, device: str) -> Plug | None:
        return next((plug for plug in self.plugs if plug.device == device), None)

    def dialled(self, version: OcppVersion) -> None:
        """A new connection: its clock may be another."""
        self.version, self.offset_ms = version, 0
        for plug in self.plugs:
            plug.status_at, plug.fresh = None, False

    # ---- what it tells ----

    def set_status(self, plug: Plug | None, status: str, error: str, at: Millis | None, now: Millis) -> None:
        """`plug` None: the whole pile. One that is older than what is known by the pile's own clock is left out."""
        wrong = at is not None and abs(at - now) > LATE_MS
        if at is not None and plug is not None and plug.status_at is not None and wrong and at < plug.status_at:
            return
        if at is not None:
            self.offset_ms = max(-TRUSTED_MS, min(at - now, TRUSTED_MS))
        if plug is None:
            self.whole, self.whole_error = status, error
            return
        plug.status, plug.error, plug.status_at, plug.fresh = status, error, at, True
        if status != "Occupied":
            plug.state = None
        if status in RESTING and plug.power_w:
            plug.power_w, plug.measured_at = 0.0, now

    def set_state(self, plug: Plug, state: str | None) -> None:
        """The charging state of a transaction; None when it has ended."""
        plug.state = state
        if state is None and plug.power_w:
            plug.power_w = 0.0

    def measure(self, plug: Plug, power_w: float | None, energy_wh: float | None, now: Millis) -> None:
        if power_w is not None:
            plug.power_w = power_w
        if energy_wh is not None:
            plug.energy_wh = energy_wh
        plug.measured_at = now

    def late(self, at: Millis | None, now: Millis) -> bool:
        """Whether what was true then by the pile's clock tells nothing of now."""
        return at is not None and at - now < min(self.offset_ms, 0) - LATE_MS

    def our_time(self, at: Millis | None, now: Millis) -> Millis:
        """A pile's time by our clock, never ahead of it; now where the pile's is none."""
        if at is None or abs(at - now) > TRUSTED_MS:
            return now
        return min(now, at - self.offset_ms if abs(self.offset_ms) > LATE_MS else at)

    # ---- what is told of it ----

    def signals(self, plug: Plug, now: Millis) -> dict[str, Signal]:
        """All that is known of a connector."""
        status, error = plug.word, plug.error
        if self.whole in WHOLE_OVERRULES and (status != "Faulted" or self.whole == "Faulted"):
            status, error = self.whole, self.whole_error or error
        known: dict[str, Signal] = {}
        if status is not None:
            known |= {"status": status, "error": error}
        if now - plug.measured_at <= FRESH_MS and plug.power_w is not None:
            known["power_w"] = plug.power_w
        if plug.energy_wh is not None:
            known["energy_wh"] = plug.energy_wh
        return known

    def news(self, now: Millis) -> list[DeviceReading]:
        """A reading for each connector that has changed since it was told, or was told long ago."""
        readings = []
        for plug in self.plugs:
            known = self.signals(plug, now)
            if known and (known != plug.told or not 0 <= now - plug.told_at < AGAIN_MS):
                plug.told, plug.told_at = known, now
                readings.append(DeviceReading(plug.device, dict(known)))
        return readings

    def untold(self, devices: Sequence[str]) -> None:
        """What was told of these could not be kept."""
        for plug in self.plugs:
            if plug.device in devices:
                plug.told = {}
