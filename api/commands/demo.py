"""`yizhan demo`: the main job with virtual devices; nothing else needed."""

import argparse
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from api.commands import simulate

SPEED = 30.0


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("demo", help="everything at once, with virtual devices")
    parser.add_argument("--http", default="127.0.0.1:8080", metavar="H:P", help="where the pages are (127.0.0.1:8080)")
    parser.add_argument("--mqtt", default="127.0.0.1:1883", metavar="H:P", help="where the broker is (127.0.0.1:1883)")
    parser.add_argument(
        "--data", type=Path, default=Path("data/demo"), metavar="DIR", help="where it is stored (data/demo)"
    )
    parser.add_argument(
        "--stations",
        type=int,
        default=4,
        metavar="N",
        help="how many stations, 1 to 2,000 (4), and one that is chained shut",
    )
    parser.add_argument("--faults", type=float, default=0.02, metavar="RATE", help="share of devices that misbehave")
    parser.add_argument("--mixed", action="store_true", help="and a station in which six foreign dialects are spoken")
    simulate.town_options(parser, speed=SPEED)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.product import run_product
    from api.server import address_of
    from config.schema import Settings
    from firmware_bridge.emulator.foreign import mixed_station
    from firmware_bridge.emulator.stations import demo_stations, locked_station

    shown = [*([locked_station()] if args.stations > 1 else []), *([mixed_station()] if args.mixed else [])]
    settings = Settings.model_validate(
        {
            "mqtt": {"url": f"embedded://{args.mqtt}"},
            "store": {"path": args.data},
            "api": {"listen": args.http},
            "stations": demo_stations(args.stations, args.seed) + shown,
            "promises": {"patience_min": 1},  # nobody watches a demo for a quarter of an hour
        }
    )
    stopped = threading.Event()
    town: list[threading.Thread] = []

    def ready(sock: socket.socket) -> None:
        town.append(simulate.start(settings, args, stopped, from_midday=True))
        base = f"http://{address_of(sock)}"
        first = settings.stations[0].id
        sys.stdout.write(
            f"station screen   {base}/screen/{first}\n"
            f"all stations     {base}/\n"
            f"as data          {base}/api/v1/stations/{first}\n"
            f"devices publish to {args.mqtt}; stop with Ctrl-C\n"
        )
        sys.stdout.flush()

    try:
        return run_product(settings, ready, before_stop=lambda: _end(town, stopped))
    finally:
        _end(town, stopped)


def _end(town: list[threading.Thread], stopped: threading.Event) -> None:
    stopped.set()
    for thread in town:
        thread.join(3)
