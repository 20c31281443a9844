"""`yizhan doctor`: tries everything that the configuration names, and says of each what is wrong and how to mend it."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.commands.doctor_finding import DoctorFinding

SIGNS = {"ok": "✓", "warn": "!", "fail": "✗"}
TOLD_PLACES = 5


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="try the broker, store, disk, clock, serial ports and notifiers")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--send-test", action="store_true", help="send one test message to each alert channel")
    parser.add_argument("--lang", choices=("zh", "en"), help="of the messages; default: that of LANG")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.chinese import language
    from config.load import load

    settings = load(args.config)
    failed = False
    for finding in findings(settings, args.send_test):
        failed = failed or finding.mark == "fail"
        sys.stdout.write(f"{SIGNS[finding.mark]} {shown(finding, chinese=language(args.lang) == 'zh')}\n")
        sys.stdout.flush()
    return 1 if failed else 0


def shown(finding: DoctorFinding, *, chinese: bool) -> str:
    from api.chinese import told

    return f"{told(finding.what)}：{told(finding.text)}" if chinese else f"{finding.what}: {finding.text}"


def findings(settings: Any, send_test: bool) -> Iterator[DoctorFinding]:
    from api.commands.doctor_broker import broker
    from api.commands.doctor_buses import serial_ports
    from api.commands.doctor_calendars import calendars, holidays
    from api.commands.doctor_centre import centre, differences
    from api.commands.doctor_copies import backups, copy
    from api.commands.doctor_keys import certificates, command_key, rights
    from api.commands.doctor_log_in import log_ins
    from api.commands.doctor_machine import clock, runtime, starts, store
    from api.commands.doctor_replica import replica

    counts = f"{len(settings.stations)} stations, {sum(1 for _ in settings.resources())} resources"
    yield DoctorFinding("ok", "configuration", counts)
    yield runtime()
    yield clock()
    yield from store(settings.store.path)
    yield from starts(settings.store.path)
    yield from copy(settings.store.influx)
    yield from replica(settings)
    yield from broker(settings)
    yield from (*centre(settings), *differences(settings))
    yield command_key(settings)
    yield rights(settings)
    yield from certificates(settings)
    yield from backups(settings)
    yield holidays(settings)
    yield from log_ins(settings)
    yield from promises(settings)
    yield from calendars(settings)
    yield from unused(settings.store.path)
    yield from serial_ports(settings)
    yield from channels(settings, send_test)


def promises(settings: Any) -> Iterator[DoctorFinding]:
    """Values that will be stale between any two messages of their device."""
    from config.resources import unpromised

    places = unpromised(settings)
    if places:
        more = f" and {len(places) - TOLD_PLACES} more" if len(places) > TOLD_PLACES else ""
        yield DoctorFinding(
            "warn", "ttl",
            f"{', '.join(places[:TOLD_PLACES])}{more}: a LoRaWAN sensor speaks seldom, "
            "and the ttl is that of the kind: they will be stale most of the time; "
            "write power: battery, or a ttl of more than two of its intervals",
        )  # fmt: skip


def unused(folder: Path) -> Iterator[DoctorFinding]:
    """Partners and apps that took nothing for a week."""
    from api.outward_use import uses_in
    from gateway.base.clock import now_ms
    from gateway.base.times import rfc3339

    now = now_ms()
    for name, last in uses_in(folder).items():
        since = last.unused_since(now)
        if since is not None:
            text = f"took nothing since {rfc3339(since)}: ask its owner whether it still runs, or take it out"
            yield DoctorFinding("warn", name, text)


def channels(settings: Any, send_test: bool) -> Iterator[DoctorFinding]:
    if not send_test:
        for channel in settings.alerts.channels:
            yield DoctorFinding("ok", f"channel {channel.id}", f"{channel.kind}; --send-test sends it a message")
        return
    from gateway.alerting.configured import base_url
    from gateway.alerts.places import Places
    from gateway.base.clock import now_ms
    from gateway.notify.trial import send_tests

    for name, wrong in send_tests(settings.alerts.channels, Places.of(settings), base_url(settings), now_ms()):
        yield DoctorFinding("fail" if wrong else "ok", f"channel {name}", wrong or "took the test message")
