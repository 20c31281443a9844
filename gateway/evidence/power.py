"""Watts against words: what a charger or an appliance says of itself, beside what it draws.

Each type declares its figures in config/kinds; nothing else judges watts. Beside them stands `running_above_w`, by
which dialects make a status of power where a device tells none. It lies between the two, so that both agree.
"""

from config.kinds import SPECS, USUAL_LOAD, Load
from gateway.evidence.facts import Facts
from gateway.model import Resource

METER_W = 20.0
"""A meter is judged from here on: in a quarter of an hour it counts 5 Wh."""
OUT_OF_ORDER = ("Unavailable", "Faulted")


LOADS: dict[tuple[str, str | None], Load] = {
    (spec.name, name): type_.load for spec in SPECS.values() for name, type_ in spec.types.items()
}
_USUAL = {spec.name: spec.types[spec.usual_type].load for spec in SPECS.values() if spec.usual_type is not None}


def load_of(resource: Resource) -> Load:
    """The figures of its type; without a type, those of the usual one of its kind."""
    return LOADS.get((resource.kind, resource.type)) or _USUAL.get(resource.kind) or USUAL_LOAD


def draws(facts: Facts) -> bool:
    """Something is fed, by the last power told."""
    return facts.known.power_w is not None and facts.known.power_w > facts.doubt.load.drawing_w


def band(facts: Facts) -> int | None:
    """In which of the ranges that rules tell apart its power lies, and whether there is a register. None: no power.

    While neither this nor the status is another, its power is judged as before.
    """
    power_w, load = facts.known.power_w, facts.doubt.load
    if power_w is None:
        return None
    number = 0 if power_w < load.idle_w else 1 if power_w <= load.drawing_w else 2 if power_w < METER_W else 3
    return number if facts.known.energy_wh is None else number + 4


def _idles(facts: Facts) -> bool:
    return facts.known.power_w is not None and facts.known.power_w < facts.doubt.load.idle_w


def charging_without_power(facts: Facts) -> bool:
    return facts.known.status == "Charging" and _idles(facts)


def running_without_power(facts: Facts) -> bool:
    return facts.known.status == "running" and _idles(facts)


def power_while_free(facts: Facts) -> bool:
    return facts.known.use == "free" and draws(facts)


def power_while_out_of_order(facts: Facts) -> bool:
    return facts.known.status in OUT_OF_ORDER and draws(facts)


def meter_stands_still(facts: Facts) -> bool:
    """Enough power for a meter to show it. That it does not move is a matter of time: see `Rule.register_clears`."""
    known = facts.known
    metered = known.energy_wh is not None and known.health != "fault"
    return metered and draws(facts) and (known.power_w or 0) >= METER_W
