"""The piles and sockets of one station: who plugs in, how the charge goes, in OCPP 1.6's order of statuses.

Available, Preparing, Charging, SuspendedEV (full, still plugged in), Finishing, Available.
"""

from collections.abc import Callable
from random import Random

from firmware_bridge.emulator.agenda import CallQueue
from firmware_bridge.emulator.day import DAY_S, HOUR_S, candidate_s, comes, stays_of_a_day
from firmware_bridge.emulator.things import Charger, ChargingSession, Thing

# Peak power (W) and energy (Wh) of a charge, each as (low, high). Cars follow the recorded sessions.
CHARGES = {"phone": ((15.0, 27.0), (8.0, 16.0)), "ebike": ((150.0, 380.0), (250.0, 700.0))}
EV_PEAK_W = 7000.0


class Charging:
    """Moves the chargers of `things` through their day; `changed(at, charger)` on every new status."""

    def __init__(
        self, things: list[Charger], agenda: CallQueue, rng: Random, changed: Callable[[float, Thing], None]
    ) -> None:
        self._agenda, self._rng, self._changed = agenda, rng, changed
        self._chargers: dict[str, list[Charger]] = {"phone": [], "ebike": [], "ev": []}
        for charger in things:
            self._chargers[charger.resource.type or "ebike"].append(charger)

    def begin(self, at: float) -> None:
        if self._chargers["ebike"]:
            self._next_resident(at)

    def plan_day(self, at: float) -> None:
        """The cars of the day that has second `at`, from `at` on."""
        midnight = at - at % DAY_S
        weekday = int(midnight // DAY_S + 3) % 7  # 1970-01-01 was a Thursday
        for pile in self._chargers["ev"]:
            for stay in stays_of_a_day(self._rng, weekday):
                leaves = midnight + stay.unplugged
                if leaves > at:
                    hours = (stay.unplugged - stay.plugged_in) / HOUR_S
                    session = ChargingSession(0, stay.energy_wh, max(EV_PEAK_W, 1.5 * stay.energy_wh / hours))
                    self._agenda.add(max(at, midnight + stay.plugged_in), self._car, (pile, session, leaves))

    def plug_free(self, at: float, type_: str) -> Charger | None:
        """Plug something into a free charger of this type; None when all are taken."""
        free = [charger for charger in self._chargers[type_] if charger.status == "Available"]
        if not free:
            return None
        peak_w, energy_wh = (self._rng.uniform(*low_high) for low_high in CHARGES[type_])
        charger = self._rng.choice(free)
        self._plug(at, charger, ChargingSession(0, energy_wh, peak_w))
        return charger

    def unplug(self, at: float, charger: Charger) -> None:
        charger.stop(at)
        self._set(at, charger, "Finishing")
        self._agenda.add(at + self._rng.uniform(20, 60), self._release, charger)

    def _next_resident(self, at: float) -> None:
        self._agenda.add(at + candidate_s(self._rng, 0.12 * len(self._chargers["ebike"])), self._resident)

    def _resident(self, at: float, _: None) -> None:
        """Somebody from the neighbourhood leaves an e-bike to charge and walks home."""
        self._next_resident(at)
        if comes(self._rng, at) and (pile := self.plug_free(at, "ebike")):
            self._agenda.add(at + self._rng.uniform(1.5, 5) * HOUR_S, self.unplug, pile)

    def _car(self, at: float, visit: tuple[Charger, ChargingSession, float]) -> None:
        pile, session, leaves = visit
        if pile.status == "Available":
            self._plug(at, pile, session)
            self._agenda.add(leaves, self.unplug, pile)

    def _plug(self, at: float, charger: Charger, session: ChargingSession) -> None:
        self._set(at, charger, "Preparing")
        self._agenda.add(at + self._rng.uniform(5, 20), self._start, (charger, session))

    def _start(self, at: float, plan: tuple[Charger, ChargingSession]) -> None:
        charger, session = plan
        if charger.status == "Preparing":
            charger.session = session._replace(begins=at)
            self._agenda.add(charger.session.full_at, self._full, (charger, charger.session))
            self._set(at, charger, "Charging")

    def _full(self, at: float, plan: tuple[Charger, ChargingSession]) -> None:
        charger, session = plan
        if charger.session is session:
            charger.stop(at)
            self._set(at, charger, "SuspendedEV")

    def _release(self, at: float, charger: Charger) -> None:
        self._set(at, charger, "Available")

    def _set(self, at: float, charger: Charger, status: str) -> None:
        charger.status = status
        self._changed(at, charger)
