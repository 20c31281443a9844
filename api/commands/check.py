"""`yizhan check`: every mistake of a configuration at once."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.mistakes import ConfigErrors
    from config.schema import Settings


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("check", help="every mistake in a configuration, with line and mend")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--lang", choices=("zh", "en"), help="of the messages; default: that of LANG")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.chinese import language
    from config.mistakes import ConfigErrors

    try:
        settings = checked(args.config)
    except ConfigErrors as errors:
        sys.stdout.write(f"{_in(language(args.lang), errors)}\n")
        return 2
    from config.warnings import warnings

    for line in warnings(args.config, settings):
        sys.stdout.write(f"{line}\n")
    resources = sum(1 for _ in settings.resources())
    stations = len(settings.stations)
    if language(args.lang) == "zh":
        sys.stdout.write(f"{args.config}：没有错误，{stations} 个站点，{resources} 个点位\n")
    else:
        sys.stdout.write(f"{args.config}: fine, {stations} stations with {resources} resources\n")
    return 0


def _in(language: str, errors: "ConfigErrors") -> str:
    from api.chinese import mistake_in_chinese

    return "\n".join(map(mistake_in_chinese, errors.mistakes)) if language == "zh" else str(errors)


def checked(path: Path, contents: "Mapping[Path, bytes] | None" = None) -> "Settings":
    """The settings, if the gateway too can make sense of them. ConfigErrors with what it can't.

    `contents`, where given, are the files of the configuration: what they would hold.
    """
    from config.load import files_of, load
    from config.mistakes import ConfigErrors
    from config.yaml_source import read_yaml
    from firmware_bridge.configured import check as check_buses
    from gateway.core.plan import mistakes

    settings = load(path, also=[check_buses], contents=contents)
    problems = list(mistakes(settings))
    if not problems:
        return settings
    source = read_yaml(files_of(path) if contents is None else sorted(contents), contents or {})
    for key_path, told in problems:
        what, _, mend = told.rpartition("; ")
        source.blame(key_path, what or told, mend if what else "see docs/dialects.md")
    raise ConfigErrors(source.mistakes)
