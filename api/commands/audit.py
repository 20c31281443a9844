"""`yizhan audit`: `verify`, whether the trail of who changed what is whole; `export`, its new lines to today's file."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.audit_check import TrailCheck


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("audit", help="the trail of who changed what: verify, export")
    actions = parser.add_subparsers(dest="action", metavar="verify|export", required=True)
    verify = actions.add_parser("verify", help="look for lines that were edited, removed, swapped or put in")
    verify.add_argument("--config", type=Path, required=True, metavar="PATH")
    verify.add_argument(
        "--against", type=Path, metavar="DIR", help="copies of the daily exports that were kept elsewhere"
    )
    verify.set_defaults(run=_verify)
    export = actions.add_parser("export", help="write the lines that no export has yet, if today has none")
    export.add_argument("--config", type=Path, required=True, metavar="PATH")
    export.set_defaults(run=_export)


def _verify(args: argparse.Namespace) -> int:
    from api.audit_check import check_all, exports_since, faults_of
    from config.load import load
    from gateway.base.clock import now_ms

    store = load(args.config).store
    if args.against is not None and not args.against.is_dir():
        sys.stderr.write(f"--against: {args.against} is no folder\n")
        return 2
    checked = check_all(store.path, exports_since(now_ms(), store.retention.alerts_days), args.against)
    for trail in checked:
        sys.stdout.write(f"{_told(trail)}\n")
    faults = faults_of(checked)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    sys.stdout.write("the audit trail is not whole\n" if faults else "the audit trail is whole\n")
    return 1 if faults else 0


def _told(trail: "TrailCheck") -> str:
    parts = [f"{trail.trail}: {trail.lines} lines"]
    if trail.began is not None:
        parts += [f"the chain begins at line {trail.began}", f"line {trail.head} is {trail.head_digest[:16]}"]
    elif trail.lines and not trail.of_exports:
        parts.append("older than the chain, which begins with the next line")
    return ", ".join(parts)


def _export(args: argparse.Namespace) -> int:
    from api.access_book import whoever
    from api.audit_export import AuditExports
    from config.load import load
    from gateway.base.clock import now_ms

    store = load(args.config).store
    path = AuditExports(store.path, store.retention.alerts_days).export(now_ms(), whoever())
    sys.stdout.write("there is nothing new, or today's export is there\n" if path is None else f"{path}\n")
    return 0
