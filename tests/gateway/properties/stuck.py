"""How many stuck sensors are found, how soon, and how often an honest one is doubted.

`python -m tests.gateway.properties.stuck` prints the table of docs/availability.md (six days of three stations).
"""

from dataclasses import dataclass, field
from random import Random

from firmware_bridge.emulator.faults import Misbehaviour
from tests.gateway.properties.town import HOUR, MINUTE, START, Simulation

JUDGED = ("seat", "charger", "appliance")
SHARE = 0.15
STUCK_FOR_H = 12


@dataclass
class Tally:
    """Of one kind. `lying`: stuck ones that said something untrue for at least an hour in all."""

    stuck: int = 0
    lying: int = 0
    noticed: int = 0
    delays_h: list[float] = field(default_factory=list)
    honest_minutes: int = 0
    doubted_minutes: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def line(self, kind: str) -> str:
        delays = sorted(self.delays_h)
        middle = f"{delays[len(delays) // 2]:.1f} h" if delays else "-"
        share = self.doubted_minutes / max(1, self.honest_minutes)
        return (
            f"{kind:10} stuck {self.stuck:3}  lying {self.lying:3}  found {self.noticed:3} "
            f"({self.noticed / max(1, self.lying):4.0%})  after (median) {middle:7} "
            f"honest time in doubt {share:.3%}  {self.reasons}"
        )


def measure(seeds: range, *, stations: int = 3, hours: int = 24) -> dict[str, Tally]:
    """A day of a town in which some sensors stick, for each seed."""
    tallies = {kind: Tally() for kind in JUDGED}
    for seed in seeds:
        _day(seed, stations, hours, tallies)
    return tallies


def _day(seed: int, stations: int, hours: int, tallies: dict[str, Tally]) -> None:
    town = Simulation(stations, seed=seed)
    rng = Random(seed)
    judged = {(r.station, r.id): r for r in town.resources if r.kind in JUDGED and r.device == r.id}
    faults: dict[tuple[str, str], Misbehaviour] = {}
    for key in sorted(judged):
        if rng.random() < SHARE:
            begins = START + rng.randrange(1 * HOUR, 8 * HOUR)
            faults[key] = Misbehaviour("stuck", *key, begins, begins + STUCK_FOR_H * HOUR)
            town.town.inject(faults[key])
    facts = {(f.resource.station, f.resource.id): f for s in town.live.stations.values() for f in s.facts()}
    untrue: dict[tuple[str, str], int] = dict.fromkeys(judged, 0)
    doubted: dict[tuple[str, str], int] = {}
    for now in town.run(START + hours * HOUR, step_ms=MINUTE):
        truth = town.town.truth()
        for key, resource in judged.items():
            fault, seen = faults.get(key), facts[key]
            sticks = fault is not None and fault.begins <= now < fault.ends
            reason = seen.doubt.suspect if seen.axes.evidence == "suspect" else None
            suspect = reason is not None
            tally = tallies[resource.kind]
            if sticks:
                untrue[key] += seen.known.use != truth[key].use
                if suspect:
                    doubted.setdefault(key, now)
            elif fault is None or now < fault.begins:
                tally.honest_minutes += 1
                tally.doubted_minutes += suspect
                if reason is not None:
                    tally.reasons[reason] = tally.reasons.get(reason, 0) + 1
    for key, fault in faults.items():
        tally = tallies[judged[key].kind]
        tally.stuck += 1
        if untrue[key] >= 60:
            tally.lying += 1
            tally.noticed += key in doubted
            if key in doubted:
                tally.delays_h.append((doubted[key] - fault.begins) / HOUR)


if __name__ == "__main__":
    for kind, tally in measure(range(6)).items():
        print(tally.line(kind))
