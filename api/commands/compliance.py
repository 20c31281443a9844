"""`yizhan compliance`: what a purchaser or assessor asks, with the evidence of this installation."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.compliance.look import Look

SIGNS = {"holds": "✓", "look": "!", "operator": "·"}
LEGEND = (
    "✓ 产品做到，本机已启用   ! 本机还差一步   · 只能由运营单位做",
    "✓ the product does it, and here it is on   ! something is missing here   · only the operator can",
)
DUTY = ("运营单位", "the operator")


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "compliance", help="等保二级 and ETSI EN 303 645, item by item, with the evidence of this installation"
    )
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--lang", choices=("zh", "en"), help="default: that of LC_ALL, LC_MESSAGES or LANG")
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.chinese import language
    from api.compliance.look import look_at
    from config.load import load
    from gateway.base.clock import now_ms

    at = look_at(load(args.config), now_ms())
    if args.json:
        sys.stdout.write(json.dumps(as_rows(at), ensure_ascii=False, indent=1) + "\n")
    else:
        _write(at, 0 if language(args.lang) == "zh" else 1)
    return 0


def as_rows(at: "Look") -> list[dict[str, Any]]:
    """Every item with both languages."""
    from api.compliance.items import ITEMS

    rows = []
    for item in ITEMS:
        evidence = item.evidence(at)
        rows.append({
            "standard": item.standard, "clause": item.clause, "title": _both(item.title), "state": evidence.state,
            "evidence": _both(evidence.text), "operator": _both(item.duty),
        })  # fmt: skip
    return rows


def _both(text: tuple[str, str]) -> dict[str, str]:
    return {"zh": text[0], "en": text[1]}


def _write(at: "Look", language: int) -> None:
    from api.compliance.items import ITEMS

    standard = ""
    for item in ITEMS:
        if item.standard != standard:
            standard = item.standard
            sys.stdout.write(f"\n{standard}\n")
        evidence = item.evidence(at)
        sys.stdout.write(f"{SIGNS[evidence.state]} {item.clause} {item.title[language]}: {evidence.text[language]}\n")
        if item.duty[language]:
            sys.stdout.write(f"    {DUTY[language]}: {item.duty[language]}\n")
    sys.stdout.write(f"\n{LEGEND[language]}\n")
