"""`yizhan device`: users of devices and bridges at a mosquitto broker: `add`, `list`, `revoke`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.mosquitto_files import BrokerUsers
    from config.schema import Settings

FILES = Path("/etc/mosquitto")
RELOAD = "`systemctl reload mosquitto` has the broker take it up"


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("device", help="users of devices at a mosquitto broker: add, list, revoke")
    actions = parser.add_subparsers(dest="action", metavar="add|list|revoke", required=True)
    new = actions.add_parser("add", help="make a user with a new password; print what to enter, and a code to scan")
    new.add_argument("--broker", metavar="URL", help="how the device reaches it; default: mqtt.url")
    new.add_argument("--no-code", action="store_true", help="print no code to scan")
    gone = actions.add_parser("revoke", help="end a user; the broker lets it go when it reloads")
    for action in (new, gone):
        action.add_argument("name", type=_name, metavar="STATION/DEVICE", help="or STATION, for its bridge")
    shown = actions.add_parser("list", help="which users there are, and which devices have none")
    for action in (new, shown, gone):
        action.add_argument("--config", type=Path, required=True, metavar="PATH")
        action.add_argument(
            "--mosquitto", type=Path, default=FILES, metavar="DIR", help=f"folder of its passwords and acl ({FILES})"
        )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.mosquitto_files import BrokerUsers
    from config.files import UnusableFileError
    from config.load import load

    settings, users = load(args.config), BrokerUsers(args.mosquitto)
    if not args.mosquitto.is_dir():
        sys.stderr.write(f"--mosquitto: {args.mosquitto} is no folder; is the broker on this machine?\n")
        return 2
    deeds = {"add": _add, "list": _list, "revoke": _revoke}
    try:
        return deeds[args.action](args, settings, users)
    except (OSError, UnusableFileError) as error:
        sys.stderr.write(f"{error}; run it as root, or as the user of the broker\n")
        return 1


def _add(args: argparse.Namespace, settings: "Settings", users: "BrokerUsers") -> int:
    from api.access_book import AccessBook, whoever
    from gateway.base.clock import now_ms

    station, _, device = args.name.partition("/")
    if settings.station(station) is None:
        sys.stderr.write(f"there is no station {station!r} in the configuration; add it first\n")
        return 2
    password = users.add(args.name)
    AccessBook(settings.store.path).note(now_ms(), whoever(), "device_added", args.name)
    entered = {
        "broker": args.broker or ", ".join(settings.mqtt.url),
        "client id": args.name,
        "user": args.name,
        "password": password,
    }
    if device:
        base = f"yz/{args.name}"
        entered |= {"says on": f"{base}/state", "last will on": f"{base}/availability", "hears": f"yz-ack/{args.name}"}
    for what, value in entered.items():
        sys.stdout.write(f"{what:13} {value}\n")
    if not args.no_code:
        sys.stdout.write(_code(entered))
    sys.stdout.write(f"the password is shown only this once; {RELOAD}\n")
    return 0


def _code(entered: dict[str, str]) -> str:
    """A QR code of the lines as JSON, for a terminal."""
    import io
    import json

    import segno

    out = io.StringIO()
    segno.make(json.dumps(entered, separators=(",", ":")), error="l").terminal(out, compact=True)
    return out.getvalue()


def _list(args: argparse.Namespace, settings: "Settings", users: "BrokerUsers") -> int:
    del args
    configured = {f"{at.id}/{resource.device or resource.id}" for at, _, resource in settings.resources()}
    stations, names = {station.id for station in settings.stations}, users.names()
    for name in names:
        kind = "device" if name in configured else "bridge" if name in stations else "not in the configuration"
        sys.stdout.write(f"{name}  {kind}\n")
    for name in sorted(configured - {*names}):
        sys.stdout.write(f"{name}  no user; its bridge speaks for it, or add one\n")
    return 0


def _revoke(args: argparse.Namespace, settings: "Settings", users: "BrokerUsers") -> int:
    from api.access_book import AccessBook, whoever
    from gateway.base.clock import now_ms

    if not users.revoke(args.name):
        sys.stderr.write(f"there is no user {args.name}; see `yizhan device list`\n")
        return 1
    AccessBook(settings.store.path).note(now_ms(), whoever(), "device_revoked", args.name)
    sys.stdout.write(f"{args.name} is revoked; {RELOAD}\n")
    return 0


def _name(text: str) -> str:
    from api.mosquitto_files import is_name

    if not is_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no device: write STATION/DEVICE, or STATION for its bridge")
    return text
