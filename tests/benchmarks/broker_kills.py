"""Several shards on brokers whose nodes are killed under load: what the broker acknowledged beside what was stored.

    python -m tests.benchmarks.broker_kills [--broker nats] [--shards 8] [--kills 10] [--every-s 60] [--then 4 --then 8]

Whole processes on loopback: the nodes with the configurations of deploy/brokers, `yizhan gateway --shard I/N`, and
devices that number their messages and keep each until a watermark covers it. Every `--every-s` seconds one node, by
chance, gets SIGKILL and is started again `--down-s` later. Stored is what `yizhan export` gives: first while nobody
sends again what the broker had acknowledged, then after the devices have sent again what no watermark covers. With
`--shards-too` one shard, by chance, gets SIGKILL five seconds before each node and is started again after it, so that
the broker holds what it has acknowledged as it dies.

Then, for each `--then`, the number of shards changes while the devices go on, together with some that don't number
their messages.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.broker_households import Household, note, owed_to, promised, say_all_again
from tests.benchmarks.broker_shards import (
    PATIENCE_S,
    SEATS,
    Outage,
    Shards,
    Stored,
    devices_of_each,
    gaps,
    settled,
    stations_there,
    stored,
)
from tests.e2e.brokers.programs import MAKES, BrokerNode, hears, started
from tests.patience import until

HOUSEHOLDS, AHEAD_S, BETWEEN_CHANGES_S, PLAIN_PER_S = 4, 5.0, 20.0, 50.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done. `rate`: messages a second, of all numbered devices together; `then`: numbers of shards after it."""

    kills: int = 3
    every_s: float = 40.0
    down_s: float = 15.0
    rest_s: float = 10.0
    rate: float = 200.0
    shards: int = 4
    shards_too: bool = False
    then: Sequence[int] = ()
    seed: int = 1
    logs: Path | None = None


@dataclass(frozen=True, slots=True)
class Rig:
    folder: Path
    nodes: list[BrokerNode]
    gateways: Shards
    houses: list[Household]


def figures(make: str, trial: Trial) -> dict[str, Any]:
    """What came of it, by name. SystemExit when this broker is not installed."""
    build, program = MAKES[make]
    if program is None:
        raise SystemExit(f"{make}: not installed")
    with tempfile.TemporaryDirectory(prefix="yizhan-kills-") as name:
        folder = Path(name)
        nodes = started(build(folder))
        try:
            until(lambda: all(map(hears, nodes)) or make == "artemis", what="all nodes listening")
            time.sleep(trial.rest_s)  # clusters agree
            with Shards(folder, nodes, trial.shards) as gateways:
                return {"broker": make, "nodes": len(nodes)} | _run(folder, nodes, gateways, trial)
        finally:
            for node in nodes:
                node.kill()
            if trial.logs is not None:
                _keep_logs(folder, trial.logs / make.replace(" ", "-"))


def _run(folder: Path, nodes: list[BrokerNode], gateways: Shards, trial: Trial) -> dict[str, Any]:
    devices = [(station, device) for station in stations_there() for device in devices_of_each()[:SEATS]]
    houses = [
        Household(f"household-{n}", nodes, devices[n::HOUSEHOLDS], trial.rate / HOUSEHOLDS) for n in range(HOUSEHOLDS)
    ]
    rig, watch = Rig(folder, nodes, gateways, houses), Outage(gateways.ports)
    for thread in (*houses, watch):
        thread.start()
    try:
        _kill_in_turn(rig, trial, random.Random(trial.seed))
        watch.ended.set()
        killed = {
            "shards": trial.shards, "kills": trial.kills, "shards_too": trial.shards_too, **_counted(rig),
            "session_gaps": sum(map(gaps, gateways.ports)), "longest_away_s": round(watch.longest_s, 1),
        }  # fmt: skip
        return killed | ({"changes": _changed(rig, trial)} if trial.then else {})
    finally:
        for house in houses:
            house.end()


def _kill_in_turn(rig: Rig, trial: Trial, chance: random.Random) -> None:
    nodes, shards = rig.nodes, rig.gateways
    for _ in range(trial.kills):
        time.sleep(trial.every_s - trial.down_s)
        shard = chance.randrange(len(shards.ports)) + 1
        if trial.shards_too:
            shards.kill(shard)
            time.sleep(AHEAD_S)
        node = chance.choice([node for node in nodes if hears(node)])
        note(f"node {nodes.index(node)} is killed, of {[hears(node) for node in nodes]}")
        node.kill()
        time.sleep(trial.down_s)
        node.start()
        until(lambda: any(map(hears, nodes)), what="a broker listening")
        if trial.shards_too:
            shards.start(shard)
    time.sleep(trial.every_s - trial.down_s)


def _counted(rig: Rig) -> dict[str, Any]:
    """The devices fall silent; what was acknowledged, and what is stored before and after they send again."""
    houses = rig.houses
    for house in houses:
        house.talking = False
    until(lambda: all(house.idle for house in houses), what="the broker taking all", patience_s=PATIENCE_S)
    acknowledged = sum(house.acknowledged for house in houses)
    first, owed = settled(rig.folder), owed_to(houses)
    say_all_again(houses)
    last = settled(rig.folder)
    return {
        "acknowledged": acknowledged, "stored": len(first), "missing": acknowledged - len(first),
        "owed_by_watermarks": owed, "stored_after_resending": len(last), "double": sum(last.values()) - len(last),
        "promised_and_missing": len(promised(houses) - set(last)), "still_owed": owed_to(houses),
        "silences": sum(house.silences for house in houses),
    }  # fmt: skip


def _changed(rig: Rig, trial: Trial) -> dict[str, Any]:
    """The number of shards changes, and changes again, while devices of both kinds speak."""
    plain = Household(
        "household-plain", rig.nodes, [(station, "plain") for station in stations_there()], PLAIN_PER_S, numbered=False
    )
    plain.start()
    try:
        seconds = []
        for house in rig.houses:
            house.talking = True
        for count in trial.then:
            time.sleep(BETWEEN_CHANGES_S)
            begin = time.monotonic()
            rig.gateways.change(count)
            seconds.append(round(time.monotonic() - begin, 1))
            note(f"{count} shards, {seconds[-1]} s later")
        time.sleep(BETWEEN_CHANGES_S)
        plain.talking = False
        until(lambda: plain.idle, what="the broker taking all", patience_s=PATIENCE_S)
        numbered = _counted(rig)
        return {"to": list(trial.then), "took_s": seconds, **numbered, **_of_plain(rig.folder, plain)}
    finally:
        plain.end()


def _of_plain(folder: Path, house: Household) -> dict[str, int]:
    """How many of those without numbers there are, missing and double: lists of them stand in the log."""
    have = stored(folder, numbered=False)
    want: Stored = Stored((*name, seq) for name, kept in house.devices.items() for seq in range(1, kept.seq + 1))
    lost, double = want - have, have - want
    if lost or double:
        note(f"without numbers: missing {sorted(lost.elements())[:20]}, double {sorted(double.elements())[:20]}")
    return {"plain": want.total(), "plain_missing": lost.total(), "plain_double": double.total()}


def _keep_logs(folder: Path, to: Path) -> None:
    """Of the gateways and of the nodes, as far as these write any."""
    to.mkdir(parents=True, exist_ok=True)
    for path in (*folder.glob("gateway-*.log"), *folder.glob("*/log/*.log"), *folder.glob("*/*.log")):
        (to / path.name).write_bytes(path.read_bytes())


def main() -> None:
    usual = Trial()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", action="append", choices=sorted(MAKES), help="default: each that is installed")
    parser.add_argument("--kills", type=int, default=usual.kills)
    parser.add_argument("--every-s", type=float, default=usual.every_s)
    parser.add_argument("--down-s", type=float, default=usual.down_s)
    parser.add_argument("--rest-s", type=float, default=usual.rest_s, help="from the nodes' start to the load")
    parser.add_argument("--rate", type=float, default=usual.rate, help="messages a second, of all devices together")
    parser.add_argument("--shards", type=int, default=usual.shards)
    parser.add_argument("--shards-too", action="store_true", help="kill a shard before each node")
    parser.add_argument("--then", action="append", type=int, default=[], help="after that, so many shards")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--logs", type=Path, help="a folder for the logs of gateways and brokers")
    words = vars(parser.parse_args())
    makes = words.pop("broker") or [make for make, (_, program) in MAKES.items() if program is not None]
    for make in makes:
        sys.stdout.write(json.dumps(figures(make, Trial(**words))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
