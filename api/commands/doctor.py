"""`yizhan doctor`: tries everything that the configuration names, and says of each what is wrong and how to mend it."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.commands.doctor_finding import DoctorFinding, FindingMark

SIGNS = {"ok": "✓", "warn": "!", "fail": "✗"}
SLOW_FSYNC_MS = 50.0
TOLD_PLACES = 5
LOW_DISK_MIB = 500
RELAY_BEHIND_MIN = 15


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
    from api.commands.doctor_centre import centre, differences
    from api.commands.doctor_log_in import log_ins
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


def runtime() -> DoctorFinding:
    from gateway.store.files import sqlite_version

    have, risky = sqlite_version()
    text = f"Python {sys.version.split()[0]}, SQLite {have}"
    if risky:
        # See walresetbug in SQLite's page on WAL: it takes a second writing connection, which we never open.
        return DoctorFinding(
            "ok", "runtime", text + " (has the WAL-reset bug; harmless here, with one writing connection)"
        )
    return DoctorFinding("ok", "runtime", text)


def clock() -> DoctorFinding:
    from gateway.base.clock import now_ms

    year = datetime.fromtimestamp(now_ms() / 1000, UTC).year
    if year < 2026:
        return DoctorFinding("fail", "clock", f"the machine thinks it is {year}: set it, or let it ask a time server")
    synchronised = Path("/run/systemd/timesync/synchronized").exists()
    return DoctorFinding("ok", "clock", f"{year}, {'synchronised' if synchronised else 'not known to be synchronised'}")


def store(folder: Path) -> Iterator[DoctorFinding]:
    from gateway.store.files import healthy

    try:
        folder.mkdir(parents=True, exist_ok=True)
        slowest = fsync_ms(folder / ".doctor")
    except OSError as error:
        yield DoctorFinding(
            "fail", "store", f"{folder} can't be written: {error.strerror}; mend its rights or store.path"
        )
        return
    mark: FindingMark = "warn" if slowest > SLOW_FSYNC_MS else "ok"
    hint = "; slow: see store.profile sd_card in the example" if mark == "warn" else ""
    yield DoctorFinding(mark, "store", f"{folder} is writable, slowest of 20 fsyncs {slowest:.1f} ms{hint}")
    damaged = [path.name for path in folder.glob("*.db") if not healthy(path)]
    if damaged:
        yield DoctorFinding(
            "fail", "store", f"damaged: {', '.join(damaged)}; the gateway moves them aside when it starts"
        )
    free = shutil.disk_usage(folder).free >> 20
    yield DoctorFinding("warn" if free < LOW_DISK_MIB else "ok", "disk", f"{free} MiB free")


def certificates(settings: Any) -> Iterator[DoctorFinding]:
    """Those that the configuration names, and those that its servers show."""
    from api.certificates import look_at_certificates
    from gateway.base.clock import now_ms

    seen = look_at_certificates(settings, now_ms())
    yield from (DoctorFinding("warn", "certificate", text) for text in seen.unseen)
    yield from (DoctorFinding("warn", "certificate", f"{text}; renew it, docs/tls.md") for text in seen.ending)
    if seen.count and not seen.ending:
        yield DoctorFinding("ok", "certificate", f"{seen.count} are good for 20 days and longer")


def backups(settings: Any) -> Iterator[DoctorFinding]:
    """How those went that the configuration asks for."""
    if settings.backup is None:
        return
    from gateway.base.backup_state import asked_state, trouble_of
    from gateway.base.clock import now_ms

    trouble = trouble_of(asked_state(settings.store.path, now_ms()), now_ms())
    text = "the last one and its rehearsal went well" if trouble is None else f"{trouble}; see docs/backup.md"
    yield DoctorFinding("ok" if trouble is None else "warn", "backup", text)


def starts(folder: Path) -> Iterator[DoctorFinding]:
    """What the starts of each gateway that keeps its files here came to."""
    from gateway.runtime.starts import FILE, PLAIN, read

    for path in sorted(folder.glob(f"**/{FILE}")):
        history = read(path.parent)
        if history is None:
            yield DoctorFinding("warn", "starts", f"{path} can't be read; the next start of the gateway writes it anew")
            continue
        if history.early > PLAIN:
            text = f"the last {history.early} starts ended within a minute or have not lasted it yet; the log says why"
            yield DoctorFinding(
                "warn", "starts", f"{text}. Messages are handled singly until it is known which of them it is"
            )
        if history.guilty:
            stations = ", ".join(sorted({message.station for message in history.guilty.values()}))
            text = f"{len(history.guilty)} messages of {stations} ended the process and are set aside unseen"
            yield DoctorFinding(
                "warn", "starts", f"{text}: `yizhan export --quarantine`; send them to us. An update tries anew"
            )


def copy(influx: Any) -> Iterator[DoctorFinding]:
    """Writes a comment: it needs the same rights as rows, and leaves none."""
    if influx is None:
        return
    from gateway.base.clock import now_ms
    from gateway.influx.client import InfluxWriter

    writer = InfluxWriter(influx)
    answer = writer.write(["# yizhan doctor"], now_ms())
    writer.close()
    if answer.verdict == "taken":
        yield DoctorFinding("ok", "copy", f"{writer.name} takes rows")
        yield from _countable(influx, now_ms())
        return
    mends = {"401": "check the token", "403": "the token must write this bucket", "404": "run `yizhan store init`"}
    mend = mends.get(answer.reason, "check store.influx; the journal keeps everything meanwhile")
    yield DoctorFinding("fail", "copy", f"{writer.name}: {answer.reason} {answer.text}; {mend}")


def _countable(influx: Any, now: int) -> Iterator[DoctorFinding]:
    """The nightly comparison, and history on another machine, must also read it."""
    from gateway.influx.ask import held
    from gateway.store.base import StoreError

    try:
        held(influx, ["doctor"], now - 1, now)
    except StoreError as error:
        yield DoctorFinding("warn", "copy", f"it can't be compared with the journal each night: {error}")


def fsync_ms(path: Path) -> float:
    """The slowest of twenty small durable writes, in ms."""
    slowest = 0.0
    with path.open("wb") as file:
        for _ in range(20):
            begin = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            slowest = max(slowest, time.perf_counter() - begin)
    path.unlink()
    return slowest * 1000


def command_key(settings: Any) -> DoctorFinding:
    """The key that commands are signed with: there, a key, and nobody else's to read."""
    from gateway.commands.key import read_key

    path = settings.command_key
    try:
        key = read_key(path)
    except ValueError as error:
        return DoctorFinding("fail", "commands", str(error))
    if key is None:
        if settings.bridge is not None:
            return DoctorFinding(
                "warn", "commands", f"no key {path}: this bridge takes no command; copy the gateway's there"
            )
        return DoctorFinding("ok", "commands", f"{path} is made at the first start of the gateway")
    if path.stat().st_mode & 0o077:
        return DoctorFinding(
            "warn", "commands", f"{path} can be read by others, who may then command: chmod 600 {path}"
        )
    return DoctorFinding(
        "ok", "commands", f"signed with {path}; a bridge or an API on another machine needs the same file"
    )


def rights(settings: Any) -> DoctorFinding:
    """Files with secrets or about people that other users of this machine may read."""
    from api.exposed_files import exposed, told

    files = exposed(settings)
    if files:
        return DoctorFinding("warn", "rights", told(files))
    return DoctorFinding("ok", "rights", "nobody else on this machine may read secrets, keys and databases")


def holidays(settings: Any) -> DoctorFinding:
    from gateway.base.clock import now_ms

    if settings.calendar.holidays == "none":
        return DoctorFinding("ok", "calendar", "no public holidays asked for")
    from zoneinfo import ZoneInfo

    from gateway.policy.hours import notices_of, unpublished_year

    today = datetime.fromtimestamp(now_ms() / 1000, ZoneInfo(settings.timezone)).date()
    missing = unpublished_year(today, notices_of(settings))
    if missing is not None:
        return DoctorFinding(
            "warn", "calendar",
            f"the holidays of {missing} are not known: hours near them are unknown; "
            "enter the State Council's notice under calendar.notices, or update chinesecalendar",
        )  # fmt: skip
    return DoctorFinding(
        "ok", "calendar", "Chinese holidays and make-up workdays are known for six weeks ahead and more"
    )


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


def calendars(settings: Any) -> Iterator[DoctorFinding]:
    """Each calendar of an area: read as a gateway would, or why not, or which events are left out."""
    from gateway.base.clock import now_ms
    from gateway.calendars.feeds import looked_at
    from gateway.calendars.wanted import configured

    areas = [(station, area) for station in settings.stations for area in station.areas if area.calendar]
    for station, area in areas:
        zone, cache = station.timezone or settings.timezone, settings.store.path / "calendars"
        for source in map(configured, area.calendar):
            name, remark, usable = looked_at((station.id, area.id), source, zone, cache, now_ms())
            mark: FindingMark = "fail" if not usable else "warn" if remark else "ok"
            yield DoctorFinding(mark, "activities", f"{name}: {remark or 'is read whole'}")


def serial_ports(settings: Any) -> Iterator[DoctorFinding]:
    if settings.bridge is None:
        return
    from firmware_bridge.port import find, list_all

    for bus in settings.bridge.buses:
        port = str(bus.port)
        if port.startswith("usb:"):
            port = find(port, list_all()) or port
        if port.startswith(("http://", "https://")):
            from firmware_bridge.operators.configured import fault_of

            asked = f"{urlsplit(port).hostname} is asked; the bridge's log tells whether it answers"
            fault = fault_of(bus)
            yield DoctorFinding("ok" if fault is None else "fail", f"bus {bus.id}", fault or asked)
        elif bus.upstream is not None:
            yield _relayed(bus, settings.bridge.spool.path)
        elif "://" in port:
            yield DoctorFinding("ok", f"bus {bus.id}", f"{port}: a listener, nothing to try")
        elif not Path(port).exists():
            yield DoctorFinding(
                "fail", f"bus {bus.id}", f"{port} is not there: plugged in? `yizhan bridge --probe` lists ports"
            )
        elif not os.access(port, os.R_OK | os.W_OK):
            yield DoctorFinding("fail", f"bus {bus.id}", f"{port}: no permission; add this user to the group dialout")
        else:
            yield DoctorFinding("ok", f"bus {bus.id}", f"{port} is there")


def _relayed(bus: Any, spool: Path) -> DoctorFinding:
    """What waits for the operator of piles that are relayed to him."""
    from firmware_bridge.spool_file import SpoolError
    from firmware_bridge.spool_relay import held_in
    from gateway.base.clock import now_ms

    name, host = f"bus {bus.id}", urlsplit(bus.upstream).hostname
    try:
        held = held_in(spool)
    except SpoolError as error:
        return DoctorFinding("fail", name, str(error))
    of_bus = [held[pile] for pile in {device.charge_point for device in bus.devices} & held.keys()]
    count, oldest = sum(many for many, _ in of_bus), min([at for _, at in of_bus], default=now_ms())
    minutes = (now_ms() - oldest) // 60_000
    if minutes < RELAY_BEHIND_MIN:
        return DoctorFinding("ok", name, f"piles are relayed to {host}; {count} messages wait for it")
    text = (
        f"{count} messages of {len(of_bus)} piles wait for {host}, the first for {minutes} min: is it there, and does a"
        " network lead to it? The bridge's log has its last word; nothing of it is lost"
    )
    return DoctorFinding("warn", name, text)


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
