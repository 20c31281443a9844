"""`yizhan simulate`: virtual devices for the configured stations, to the configured broker."""

import argparse
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("simulate", help="virtual devices for the configured stations")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    town_options(parser, speed=1.0)
    parser.add_argument("--faults", type=float, default=0.0, metavar="RATE", help="share of devices that misbehave")
    parser.set_defaults(run=run)


def town_options(parser: argparse.ArgumentParser, *, speed: float) -> None:
    parser.add_argument("--speed", type=float, default=speed, metavar="X", help="how much faster the day goes by")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same day")


def run(args: argparse.Namespace) -> int:
    from api.signals import stop_event
    from config.load import load

    settings = load(args.config)
    stopped = stop_event()
    player = start(settings, args, stopped)
    stopped.wait()
    player.join()
    return 0


def start(
    settings: Any, args: argparse.Namespace, stopped: threading.Event, *, from_midday: bool = False,
    spells: Iterable[Any] = (),
) -> threading.Thread:  # fmt: skip
    """The town on a thread of its own, until `stopped`; join it afterwards. `spells`: of misbehaviour, as it begins."""
    from firmware_bridge.emulator.foreign import foreign_town
    from firmware_bridge.emulator.player import Player
    from gateway.base.clock import now_ms
    from gateway.mqtt import Session
    from gateway.mqtt.configured import broker_of

    town = foreign_town(
        settings, now_ms(), seed=args.seed, speed=args.speed, faults=args.faults, from_midday=from_midday
    )
    for spell in spells:
        town.inject(spell)
    session = Session(broker_of(settings), f"{settings.client_id}-town", keep=False)
    player = Player(town, session)

    def play() -> None:
        player.run(now_ms, stopped.is_set)
        session.close()

    thread = threading.Thread(target=play, name="town")
    thread.start()
    return thread
