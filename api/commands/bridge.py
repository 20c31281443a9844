"""`yizhan bridge`: serial and field buses to MQTT. Loads no web server, and of the protocols only those configured."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.signals import Hangups
    from config.difference import Difference
    from firmware_bridge.buses import Buses


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("bridge", help="serial and field buses to MQTT")
    parser.add_argument("--config", type=Path, metavar="PATH")
    parser.add_argument("--probe", action="store_true", help="list the serial ports and guess what answers there")
    parser.add_argument(
        "--enroll", action="store_true", help="read card numbers from stdin, print a line for allow_list_file for each"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.probe:
        return _probe()
    if args.config is None:
        sys.stderr.write("yizhan bridge: give --config PATH, or --probe to see what is connected\n")
        return 2
    from api.signals import Hangups
    from config.load import load
    from firmware_bridge.configured import check

    hangups = Hangups()
    settings = load(args.config, also=[check])
    if settings.bridge is None:
        sys.stderr.write(f"{args.config}: there is no `bridge:` section; config/example.yaml shows one\n")
        return 2
    from firmware_bridge.spool_file import SpoolError

    try:
        return _enroll(settings) if args.enroll else _bridge(args.config, settings, hangups)
    except ValueError as error:
        sys.stderr.write(f"{args.config}: {error}\n")
        return 2
    except SpoolError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _bridge(path: Path, settings: Any, hangups: "Hangups") -> int:
    from api.processes import FOLDER
    from api.reload_door import ReloadDoor
    from api.reloading import NAMED, Reloading
    from api.running import NotReloadedError
    from api.signals import stop_event
    from config.load import load
    from firmware_bridge.configured import check
    from firmware_bridge.runtime import run as run_bridge
    from gateway.commands import CommandKey
    from gateway.mqtt.configured import broker_of

    bridge = settings.bridge
    client_id = settings.mqtt.client_id or f"yizhan-{bridge.station}-{bridge.id}"
    zone = settings.zone_of(settings.station(bridge.station))
    key = CommandKey(settings.command_key)
    doors: list[ReloadDoor] = []

    def up(buses: "Buses") -> None:
        def follow(planned: "Difference") -> None:
            wanted = planned.settings.bridge
            if wanted is None:
                raise NotReloadedError("there is no `bridge:` section any more; stop this process instead")
            try:
                if "bridge" in planned.sections or NAMED in planned.sections:
                    buses.follow(wanted, all_anew=NAMED in planned.sections)
            except (ValueError, OSError) as error:
                raise NotReloadedError(str(error)) from error

        running = Reloading(path, settings, lambda path_to_load: load(path_to_load, also=[check]), follow)
        doors.append(ReloadDoor(running, hangups, bridge.spool.path / FOLDER, "bridge"))
        doors[0].start()

    try:
        return run_bridge(bridge, broker_of(settings), client_id, zone, stop_event(), key, up)
    finally:
        for door in doors:
            door.end()


def _enroll(settings: Any) -> int:
    """Numbers come on stdin, never as arguments: those stand in the shell's history and in the process list."""
    from firmware_bridge.runtime import enroll

    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.write(enroll(settings.bridge, line.strip()) + "\n")
    return 0


def _probe() -> int:
    from firmware_bridge.probe import probe

    any_port = False
    for line in probe():
        any_port = True
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if not any_port:
        sys.stdout.write("no serial port is there; is the adapter plugged in, and are you in the group dialout?\n")
    return 0
