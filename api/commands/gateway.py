"""`yizhan gateway`: the gateway alone, with nothing over HTTP but its own metrics and health."""

import argparse
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from config.difference import Difference
    from config.schema import Settings
    from gateway.runtime import Gateway

log = logging.getLogger(__name__)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("gateway", help="the gateway alone, without API and pages")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--shard", type=share, metavar="I/N", help="only the stations of shard I of N")
    parser.add_argument(
        "--standby", action="store_true", help="wait beside the one that works, and take over when it is gone"
    )
    parser.set_defaults(run=run)


def share(text: str) -> tuple[int, int]:
    """`2/4` as (2, 4)."""
    index, slash, shards = text.partition("/")
    if not (slash and index.isdigit() and shards.isdigit() and 1 <= int(index) <= int(shards) <= 1024):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard: write I/N with 1 ≤ I ≤ N, such as 2/4")
    return int(index), int(shards)


def run(args: argparse.Namespace) -> int:
    from api.centre_changes import CentreChanges
    from api.commands.check import checked
    from api.processes import FOLDER
    from api.reload_door import ReloadDoor
    from api.reloading import Reloading, take_up_sites
    from api.signals import Hangups, stop_event
    from api.start_book import note_start
    from config.certificate_files import certificate_files
    from config.edit.versions import newest_version
    from gateway.base.clock import now_ms
    from gateway.base.heart import Heart
    from gateway.runtime import Gateway
    from gateway.runtime.hand_over import HandOverStoppedError, hand_over
    from gateway.runtime.metrics import CertificateCollector, MetricsServer

    hangups = Hangups()
    settings = checked(args.config)
    note_start(args.config, settings, "gateway", now_ms())
    stopped = stop_event()
    if args.standby and not waited(settings, args.shard, stopped):
        return 0 if stopped.is_set() else 2
    try:
        hand_over(settings, args.shard[1] if args.shard else 0, stopped.is_set)
    except HandOverStoppedError:
        return 0
    gateway = Gateway(settings, share=args.shard)
    gateway.config_version = lambda: newest_version(args.config)
    running = Reloading(args.config, settings, checked, lambda planned: _follow(planned, gateway))
    shard = f"gateway-{args.shard[0]}of{args.shard[1]}" if args.shard else "gateway"
    gateway.sites.on_changed = lambda: take_up_sites(running)
    gateway.relaying.configure_by(CentreChanges(running, checked, gateway.mishaps).put)
    door = ReloadDoor(running, hangups, settings.store.path / FOLDER, shard)
    listen = settings.gateway.metrics_listen
    metrics = None
    if listen.port:
        try:
            metrics = MetricsServer(
                listen.host,
                listen.port,
                gateway.report.metrics,
                lambda: running.degraded(gateway.report.status()),
                CertificateCollector(lambda: certificate_files(gateway.settings), gateway.certificates.by_option),
            )
        except OSError as error:
            raise OSError(
                f"gateway.metrics_listen: {listen}: {error.strerror}; choose another port, or 0 to do without"
            ) from error
        metrics.start()
    gateway.start()
    door.start()
    heart = Heart([gateway.pulse])
    heart.begin()
    try:
        while not stopped.wait(0.2):
            if gateway.dead is not None:
                log.critical("%s ended unexpectedly: ending, so that a supervisor starts us again", gateway.dead)
                return 1
    finally:
        heart.end()
        door.end()
        clean = gateway.stop()
        if metrics is not None:
            metrics.stop()
    return 0 if clean else 1


def waited(settings: "Settings", shard: tuple[int, int] | None, stopped: threading.Event) -> bool:
    """True once it is ours to write. False when we were told to end, or there is nothing to wait beside."""
    from gateway.base.heart import Heart
    from gateway.runtime.parts import waiting_of

    replica = settings.store.replica
    if replica is None or not replica.required:
        log.error("--standby needs store.replica with required: true, so that two never write; add it")
        return False
    waiting = waiting_of(settings, shard)
    heart = Heart([waiting.pulse])
    heart.begin()
    try:
        return waiting.wait(stopped)
    finally:
        heart.rest()


def _follow(planned: "Difference", gateway: "Gateway") -> None:
    from api.running import NotReloadedError
    from gateway.runtime import UnchangedError

    try:
        gateway.reload(planned)
    except UnchangedError as error:
        raise NotReloadedError(str(error)) from error
