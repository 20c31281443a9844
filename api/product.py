"""The one-box product running: gateway, API and pages in one process, until told to stop."""

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from api.app import App, create_app
from api.centre_changes import CentreChanges
from api.commands.check import checked
from api.live_view import LiveView
from api.processes import FOLDER
from api.reload_door import ReloadDoor
from api.reloading import Read, Reloading, take_up_sites
from api.running import Fixed, NotReloadedError, Running
from api.server import bind, serve, trusted
from api.setup.code import SetupCode
from api.signals import Hangups, stop_event
from api.tls import certificate_of
from config.certificate_files import certificate_files
from config.difference import Difference
from config.edit.versions import newest_version
from config.schema import Settings
from gateway.alerting.metrics import AlertCollector
from gateway.base.clock import now_ms
from gateway.base.heart import Heart
from gateway.runtime import Gateway, UnchangedError
from gateway.runtime.hand_over import HandOverStoppedError, hand_over
from gateway.runtime.metrics import CertificateCollector, GatewayCollector
from gateway.store.shards import reader_of

log = logging.getLogger(__name__)

WATCH_S = 0.2


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """A configuration's file or folder, what reads and checks it, and who asks for that."""

    path: Path
    read: Read
    hangups: Hangups


def run_product(
    settings: Settings,
    ready: Callable[[socket.socket], None],
    before_stop: Callable[[], None] = lambda: None,
    files: ConfigFiles | None = None,
    setup_code: SetupCode | None = None,
    filling: Callable[[], bool] = lambda: False,
) -> int:
    """Serve until SIGTERM or SIGINT. Ports are taken before anything else starts; `ready` is told the HTTP socket.

    `before_stop` runs while the gateway still takes messages. `files`: those that `settings` were read from, to be
    taken up again while it runs. `setup_code` lets the first administrator in. `filling`: whether a past is still being
    filled in, which the pages tell; any thread may ask.
    """
    listen = settings.api.listen
    sock = bind(listen.host, listen.port)
    certificate = certificate_of(settings)
    stop = stop_event()
    try:
        hand_over(settings, 0, stop.is_set)
    except HandOverStoppedError:
        return 0
    gateway = Gateway(settings)
    view = LiveView(settings.stations, now_ms, gateway.mishaps)
    gateway.listen(view.feed_threadsafe)
    registry = CollectorRegistry()
    registry.register(GatewayCollector(gateway.report.metrics))
    registry.register(AlertCollector(settings.store.path, now_ms))
    shown = gateway.certificates.by_option
    registry.register(CertificateCollector(lambda: certificate_files(gateway.settings), shown))
    running: Running = Fixed(settings)
    door: ReloadDoor | None = None
    if files is not None:
        reloading = Reloading(files.path, settings, files.read, lambda planned: _follow(planned, gateway, app))
        gateway.config_version = lambda: newest_version(files.path)
        gateway.sites.on_changed = lambda: take_up_sites(reloading)
        gateway.relaying.configure_by(CentreChanges(reloading, checked, gateway.mishaps).put)
        running, door = reloading, ReloadDoor(reloading, files.hangups, settings.store.path / FOLDER, "up")
    app = create_app(
        view,
        reader_of(settings.store.path),
        settings,
        gateway.report.status,
        registry=registry,
        alerting=gateway.alerting,
        command=gateway.command,
        mishaps=gateway.mishaps,
        left_out=gateway.report.left_out,
        running=running,
        setup_code=setup_code,
        activities=gateway.activities_of,
        filling=filling,
        on_screen=lambda screen, station: gateway.alerting.watch.screen(screen, station, now_ms()),
    )
    heart = Heart([gateway.pulse, lambda: app.ticks])
    try:
        gateway.start()
        threading.Thread(target=_watch, args=(gateway, stop, filling), name="watch", daemon=True).start()
        if door is not None:
            door.start()
        ready(sock)
        heart.begin()
        serve(app, sock, stop, trusted_proxies=trusted(settings), certificate=certificate)
    finally:
        died = gateway.dead
        heart.end()
        if door is not None:
            door.end()
        before_stop()
        clean = gateway.stop()
        sock.close()
    if died is not None:
        log.critical("%s ended unexpectedly: ending, so that a supervisor starts us again", died)
    return 0 if clean and died is None else 1


def _follow(planned: Difference, gateway: Gateway, app: App) -> None:
    """What the API needs is made before the gateway changes, so that all of it follows or nothing."""
    try:
        follow = app.prepare(planned.settings)
        gateway.reload(planned)
    except (OSError, UnchangedError) as error:
        raise NotReloadedError(str(error)) from error
    follow()


def _watch(gateway: Gateway, stop: threading.Event, filling: Callable[[], bool]) -> None:
    """Nothing dies unnoticed: if a thread or the broker has ended, so do we. From a past that has come we learn."""
    waits = filling()
    while not stop.wait(WATCH_S):
        if gateway.dead is not None:
            stop.set()
        if waits and not filling():
            waits = False
            gateway.chores.forecasts.again()
