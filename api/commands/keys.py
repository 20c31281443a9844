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
    create.add_argument("--role", choices=("app", "viewer", "operator", "admin"), required=True)
    create.add_argument("--name", type=_name, required=True, help="who or what holds it; appears in the audit trail")
    create.add_argument("--stations", type=_list, default=(), metavar="A,B", help="only for these stations")
    create.add_argument(
        "--regions", type=_list, default=(), metavar="A,B", help="only for these regions, by path: 江苏/南京/鼓楼区"
    )
    create.add_argument("--alerts", action="store_true", help="an app may be told of alerts, too")
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
        return _create(keyring, args, settings)
    if args.action == "revoke":
        return _revoke(keyring, args.id)
    return _list_all(keyring)


def _revoke(keyring: Any, key_id: str) -> int:
    from api.access_book import whoever
    from gateway.base.clock import now_ms

    revoked = keyring.revoke(key_id)
    if revoked:
        keyring.book.note(now_ms(), whoever(), "key_revoked", key_id)
    sys.stderr.write(f"key {key_id} is revoked\n" if revoked else f"there is no key {key_id}; see `yizhan keys list`\n")
    return 0 if revoked else 1


def _create(keyring: Any, args: argparse.Namespace, settings: Any) -> int:
    from api.access_book import whoever
    from api.reach import RegionError, regions_of, resolve
    from gateway.base.clock import now_ms

    unknown = set(args.stations) - {station.id for station in settings.stations}
    if unknown:
        sys.stderr.write(f"not in the configuration: {', '.join(sorted(unknown))}; see its `stations`\n")
        return 2
    known = regions_of(station.region for station in settings.stations)
    try:
        regions = tuple(resolve(region, known) for region in args.regions)
    except RegionError as error:
        sys.stderr.write(f"--regions: {error}\n")
        return 2
    if args.alerts and args.role != "app":
        sys.stderr.write("--alerts is for --role app: staff see alerts anyway\n")
        return 2
    now = now_ms()
    expires_at = None if args.expires is None else now + args.expires
    token = keyring.create(
        args.name, args.role, now, stations=args.stations, regions=regions, expires_at=expires_at, alerts=args.alerts
    )
    reach = ",".join((*args.stations, *regions)) or "everywhere"
    keyring.book.note(now, whoever(), "key_created", token.split("_")[1], f"{args.role} {args.name} {reach}")
    sys.stdout.write(f"the {args.role} key of {args.name}, shown only this once: {token}\n")
    return 0


def _list_all(keyring: Any) -> int:
    from api.times import rfc3339

    for key in keyring.all():
        ends = "never" if key.expires_at is None else rfc3339(key.expires_at)
        scope = ",".join((*key.stations, *(region.removeprefix("/") for region in key.regions))) or "everywhere"
        sys.stdout.write(f"{key.id}  {key.role:8}  {scope}  made {rfc3339(key.created_at)}  ends {ends}  {key.name}\n")
    return 0


def _list(text: str) -> tuple[str, ...]:
    """Names by comma. An empty one is a mistake: a key for nothing in particular would be a key for everywhere."""
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} names nothing; name one or more by comma, or leave the option out")
    return names


def _name(text: str) -> str:
    from gateway.policy.text import LONGEST_NAME, bounded, one_line

    if not text.strip() or bounded(text, LONGEST_NAME) != one_line(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name; write 1 to {LONGEST_NAME} characters, without a number of a person"
        )
    return one_line(text)


def _duration_ms(text: str) -> Millis:
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdecimal() and 0 < int(number) < 100_000 and unit in UNITS_MS):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 12h, 90d or 8w")
    return int(number) * UNITS_MS[unit]
