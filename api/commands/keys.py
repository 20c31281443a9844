"""`yizhan keys`: keys for staff and apps. The file is its own, so no second process writes the store."""

import argparse
import sys
from pathlib import Path
from typing import Any

from gateway.model import Millis

UNITS_MS = {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("keys", help="keys for staff and apps: create, list, revoke")
    actions = parser.add_subparsers(dest="action", metavar="create|list|revoke", required=True)
    create = actions.add_parser("create", help="make a key and print it, once, as the last word")
    create.add_argument("--role", choices=("viewer", "operator", "admin"), required=True)
    create.add_argument("--name", required=True, help="who or what holds it; appears in the audit trail")
    create.add_argument("--stations", type=_list, default=(), metavar="A,B", help="only for these stations")
    create.add_argument("--regions", type=_list, default=(), metavar="A,B", help="only for these regions")
    create.add_argument("--expires", type=_duration_ms, metavar="90d", help="ends after so many h, d or w")
    revoke = actions.add_parser("revoke", help="end a key and its sessions at once")
    revoke.add_argument("id", help="as `yizhan keys list` shows it")
    for action in (create, revoke, actions.add_parser("list", help="every key, without its secret")):
        action.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.auth import Keyring
    from config.load import load

    settings = load(args.config)
    keyring = Keyring.of(settings)
    if args.action == "create":
        unknown = set(args.stations) - {station.id for station in settings.stations}
        unknown |= set(args.regions) - {region for station in settings.stations for region in station.region}
        if unknown:
            sys.stderr.write(f"not in the configuration: {', '.join(sorted(unknown))}; see its `stations`\n")
            return 2
        return _create(keyring, args)
    if args.action == "revoke":
        found = keyring.revoke(args.id)
        sys.stderr.write(
            f"key {args.id} is revoked\n" if found else f"there is no key {args.id}; see `yizhan keys list`\n"
        )
        return 0 if found else 1
    return _list_all(keyring)


def _create(keyring: Any, args: argparse.Namespace) -> int:
    from gateway.clock import now_ms

    now = now_ms()
    expires_at = None if args.expires is None else now + args.expires
    token = keyring.create(
        args.name, args.role, now, stations=args.stations, regions=args.regions, expires_at=expires_at
    )
    sys.stdout.write(f"the {args.role} key of {args.name}, shown only this once: {token}\n")
    return 0


def _list_all(keyring: Any) -> int:
    from api.times import rfc3339

    for key in keyring.all():
        ends = "never" if key.expires_at is None else rfc3339(key.expires_at)
        scope = ",".join((*key.stations, *key.regions)) or "everywhere"
        sys.stdout.write(f"{key.id}  {key.role:8}  {scope}  made {rfc3339(key.created_at)}  ends {ends}  {key.name}\n")
    return 0


def _list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _duration_ms(text: str) -> Millis:
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdecimal() and 0 < int(number) < 100_000 and unit in UNITS_MS):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 12h, 90d or 8w")
    return int(number) * UNITS_MS[unit]
