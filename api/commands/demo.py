"""`yizhan demo`: the main job with virtual devices; nothing else needed."""

import argparse
import json
import socket
import sys
import threading
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

from api.commands import simulate
from api.mends import host_port
from config.files import read_secret
from gateway.base.clock import now_ms

SPEED = 30.0
CODE_FILE = "teahouse_checks"
DAY_MS = 86_400_000
LOG_INS: dict[str, tuple[Any, str]] = {
    "duty": ("operator", "/"),
    "manager": ("viewer", "/promises"),
    "admin": ("admin", "/setup"),
}
"""Who is let in, as what, and where his work begins."""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("demo", help="everything at once, with virtual devices")
    parser.add_argument(
        "--http", type=host_port, default="127.0.0.1:8080", metavar="H:P", help="where the pages are (127.0.0.1:8080)"
    )
    parser.add_argument(
        "--mqtt", type=host_port, default="127.0.0.1:1883", metavar="H:P", help="where the broker is (127.0.0.1:1883)"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("data/demo"), metavar="DIR", help="where it is stored (data/demo)"
    )
    parser.add_argument(
        "--stations",
        type=int,
        default=4,
        metavar="N",
        help="how many stations, 1 to 2,000 (4), and three more: one chained shut, one that only people look after, "
        "and a car park with piles that speak OCPP and YKC, or belong to operators",
    )
    parser.add_argument("--faults", type=float, default=0.02, metavar="RATE", help="share of devices that misbehave")
    parser.add_argument("--empty", action="store_true", help="begin without a past: nothing has happened yet")
    parser.add_argument("--mixed", action="store_true", help="and a station in which six foreign dialects are spoken")
    simulate.town_options(parser, speed=SPEED)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.commands.demo_past import Plan
    from api.commands.demo_since import PastOfDemo, begun
    from api.product import run_product
    from api.server import address_of, bind
    from config.schema import parse_host_port

    listen = parse_host_port(args.http)
    bind(listen.host, listen.port).close()  # a demo that can't start has no past
    token = _token(args.data)
    since = begun(args.data, now_ms(), empty=args.empty)
    plan = Plan(args.data.absolute(), args.stations, args.seed, now_ms() if since is None else since)
    settings = _settings(args, plan)
    past = PastOfDemo(plan, wanted=since is not None)
    past.make_present()
    stopped = threading.Event()
    town: list[threading.Thread] = []

    def ready(sock: socket.socket) -> None:
        town.append(simulate.start(settings, args, stopped, from_midday=True, spells=past.standing()))
        if settings.bridge is not None:
            town.extend(_park(settings, args, stopped))
        base = f"http://{address_of(sock)}"
        first = settings.stations[0].id
        lines = [
            f"station screen   {base}/screen/{first}",
            f"all stations     {base}/",
            f"as data          {base}/api/v1/stations/{first}",
            f"near me          {base}/m",
            *([f"checks by people {base}/c/{token}"] if args.stations > 1 else []),
            *_log_ins(settings, base, args.http),
            *(
                []
                if since or args.empty
                else [f"without a past: {args.data} has a store of before; take another --data"]
            ),
            f"devices publish to {args.mqtt}; stop with Ctrl-C",
        ]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        if args.stations > 1:
            threading.Thread(target=_round, args=(base, token, stopped), name="round", daemon=True).start()
        past.start()

    try:
        return run_product(settings, ready, before_stop=lambda: _end(town, stopped), filling=past.missing)
    finally:
        _end(town, stopped)
        past.stop()


def _settings(args: argparse.Namespace, plan: Any) -> Any:
    from api.commands.demo_past import stations_of
    from config.schema import Settings
    from firmware_bridge.emulator.foreign import mixed_station
    from firmware_bridge.emulator.ocpp.park import bridge_section

    more = {"teahouse": {"checks_token_file": args.data / CODE_FILE}}
    stations = [{**station, **more.get(station["id"], {})} for station in stations_of(plan)]
    bridge: dict[str, Any] = {"bridge": bridge_section(args.data)} if args.stations > 1 else {}
    return Settings.model_validate(
        bridge
        | {
            "mqtt": {"url": f"embedded://{args.mqtt}"},
            "store": {"path": args.data},
            "api": {"listen": args.http},
            "stations": stations + ([mixed_station()] if args.mixed else []),
            "promises": {"patience_min": 1},  # nobody watches a demo for a quarter of an hour
        }
    )


def _log_ins(settings: Any, base: str, listen: str) -> list[str]:
    """A key for each of three, other ones at each start; none where others than this machine could come in."""
    from api.auth import Keyring
    from config.schema import parse_host_port
    from config.schema.base import is_loopback

    keyring = Keyring.of(settings)
    for key in keyring.all():
        if key.name in LOG_INS:
            keyring.revoke(key.id)
    if not is_loopback(parse_host_port(listen).host):
        return ["no log-ins are given: the pages can be reached from other machines; `yizhan keys create` makes keys"]
    now = now_ms()
    keys = [
        (name, page, keyring.create(name, role, now, expires_at=now + DAY_MS)) for name, (role, page) in LOG_INS.items()
    ]
    return [
        f"log in at {base}/login, for a day, with one of:",
        *(f"  {name:8} {key}  then {base}{page}" for name, page, key in keys),
    ]


def _park(settings: Any, args: argparse.Namespace, stopped: threading.Event) -> list[threading.Thread]:
    """The car park's bridge and piles."""
    from firmware_bridge.emulator.ocpp.park import open_park
    from gateway.commands import CommandKey
    from gateway.mqtt.configured import broker_of

    zone = settings.zone_of(settings.station(settings.bridge.station))
    key = CommandKey(settings.command_key)
    return open_park(settings.bridge, broker_of(settings), zone, key, stopped, args.speed, args.seed)


def _token(folder: Path) -> str:
    """That of the code on the tea house's wall; made at the first start."""
    file = folder / CODE_FILE
    if not file.exists():
        folder.mkdir(0o700, parents=True, exist_ok=True)
        file.write_text(token_hex(16))
        file.chmod(0o600)
    return read_secret(file)


def _round(base: str, token: str, stopped: threading.Event) -> None:
    """A caretaker's round: two of three checks are done, the third is left to whoever looks."""
    for check in ("kitchen", "door"):
        body = json.dumps({"id": str(uuid4()), "check": check, "at": now_ms(), "result": "ok"}).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        asked = Request(f"{base}/api/v1/stations/teahouse/checks", body, headers)  # noqa: S310  our own address
        while not _taken(asked) and not stopped.wait(1):
            pass


def _taken(asked: Request) -> bool:
    """Whether it is durable; at the very start nothing is."""
    try:
        urlopen(asked, timeout=10).close()  # noqa: S310  our own address
    except OSError:
        return False
    return True


def _end(town: list[threading.Thread], stopped: threading.Event) -> None:
    stopped.set()
    for thread in town:
        thread.join(3)
