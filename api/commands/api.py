"""`yizhan api`: the API and pages in a process of their own, as many as wanted."""

import argparse
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.building import building

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from api.app import App
    from api.live_feed import LiveFeed
    from api.live_view import LiveView
    from config.difference import Difference
    from config.schema import Settings
    from gateway.base.mishaps import Mishaps
    from gateway.model import Millis
    from gateway.runtime import Status
    from gateway.store.base import Reader
    from gateway.store.replica.mirrors import MirrorKeeper

LOOK_S = 1.0  # how often we look which gateways are away

log = logging.getLogger(__name__)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("api", help="the API and pages alone, fed by the broker and the store")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with building():
        from api.app import create_app
        from api.live_view import LiveView
        from api.processes import FOLDER
        from api.reload_door import ReloadDoor
        from api.reloading import Reloading
        from api.server import address_of, bind, serve, trusted
        from api.signals import Hangups, stop_event
        from api.start_book import note_start
        from api.tls import certificate_of, scheme_of
        from config.load import load
        from gateway.base.clock import now_ms
        from gateway.base.heart import Heart
        from gateway.base.mishaps import Mishaps
        from gateway.runtime.parts import mirrors_of

    hangups = Hangups()
    settings = load(args.config)
    note_start(args.config, settings, "api", now_ms())
    stop = stop_event()
    sock = bind(settings.api.listen.host, settings.api.listen.port)
    certificate, started_at = certificate_of(settings), now_ms()
    mishaps = Mishaps()
    view = LiveView(settings.stations, now_ms, mishaps)
    feed = _feed_of(settings, view, mishaps)
    running = Reloading(args.config, settings, load, lambda planned: _follow(planned, app, feed, mirrors))
    mirrors = mirrors_of(running.settings, mishaps)
    app = create_app(
        view, history_of(settings), settings, _status_of(settings, feed, started_at, running.settings),
        registry=_registry(running.settings, mishaps, feed),
        now=now_ms, command=feed.send, left_out=feed.left_out,
        mishaps=mishaps, running=running,
    )  # fmt: skip
    door = ReloadDoor(running, hangups, settings.store.path / FOLDER, "api")
    feed.start()
    if mirrors is not None:
        mirrors.start()
    threading.Thread(target=_try_broker, args=(settings,), name="trial", daemon=True).start()
    door.start()
    threading.Thread(
        target=_watch, args=(feed, stop, view, running.settings, mishaps), name="watch", daemon=True
    ).start()
    log.info("listening on %s://%s/", scheme_of(settings), address_of(sock))
    heart = Heart([lambda: app.ticks])
    heart.begin()
    try:
        serve(app, sock, stop, trusted_proxies=trusted(settings), certificate=certificate)
    finally:
        died = not feed.is_alive()
        heart.end()
        door.end()
        feed.end()
        feed.join(3)
        if mirrors is not None:
            mirrors.end(3)
    if died:
        log.critical("the live feed ended unexpectedly: ending, so that a supervisor starts us again")
    return 1 if died else 0


def _try_broker(settings: "Settings") -> None:
    """Whether what is retained comes to us at all: an API that shows nothing would not know why."""
    from api.commands.broker_trial import of_retained, retained_of
    from gateway.mqtt.configured import broker_of

    if not settings.mqtt.endpoint.embedded:
        try:
            retained = retained_of(broker_of(settings), f"{settings.client_id}-api-probe")
        except (OSError, ValueError):
            return  # the feed says why
        trouble = of_retained(retained)
        if trouble is not None:
            log.warning("the broker %s", trouble)
        elif retained is None:
            log.info("what the broker retains could not be tried: let this user say and hear yz-probe/#")


def _feed_of(settings: "Settings", view: "LiveView", mishaps: "Mishaps") -> "LiveFeed":
    from api.live_feed import LiveFeed
    from api.longest import LongestOf
    from gateway.commands import CommandKey
    from gateway.mqtt.configured import broker_of

    name = f"{settings.client_id}-api-{secrets.token_hex(4)}"
    return LiveFeed(
        broker_of(settings), name, view, CommandKey(settings.command_key), LongestOf(settings), mishaps,
        [station.id for station in settings.stations],
    )  # fmt: skip


def _follow(planned: "Difference", app: "App", feed: "LiveFeed", mirrors: "MirrorKeeper | None") -> None:
    from api.longest import LongestOf
    from api.running import NotReloadedError

    try:
        show = app.prepare(planned.settings)
    except OSError as error:
        raise NotReloadedError(str(error)) from error
    show()
    feed.configure(LongestOf(planned.settings), [station.id for station in planned.settings.stations])
    if mirrors is not None:
        mirrors.configure()


def _watched(settings: "Settings", feed: "LiveFeed") -> "Mapping[str, tuple[bool, list[str]]]":
    from api.missing_gateways import watched

    return watched(feed.gateways, settings.gateway.id, [station.id for station in settings.stations])


def _status_of(
    settings: "Settings", feed: "LiveFeed", started_at: "Millis", running: "Callable[[], Settings]"
) -> "Callable[[], Status]":
    from api.behind import Lagging
    from api.missing_gateways import troubles as missing_troubles
    from gateway.base.clock import now_ms
    from gateway.runtime import Status

    lagging = Lagging(running, now_ms)

    def status() -> Status:
        store_ok = settings.store.path.is_dir() or settings.store.influx is not None
        troubles = [*feed.troubles, *missing_troubles(_watched(running(), feed))]
        if not store_ok:
            troubles.append(
                f"store.path: {settings.store.path} is not there; history needs the gateway's folder, or store.influx"
            )
        session, lag = feed.session, lagging()
        return Status(
            session.connected, session.subscribed, store_ok, (*troubles, *(lag.details if lag else ())), started_at,
            degraded=lag.text if lag else None, broker=session.address,
        )  # fmt: skip

    return status


def _registry(
    settings: "Callable[[], Settings]", mishaps: "Mishaps", feed: "LiveFeed | None" = None
) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry

    from api.behind import MirrorCollector
    from api.missing_gateways import MissingCollector
    from config.certificate_files import certificate_files
    from gateway.base.clock import now_ms
    from gateway.runtime.metrics import CertificateCollector, MishapCollector
    from gateway.store.replica.mirror_state import mirrors_in

    registry = CollectorRegistry()
    registry.register(MishapCollector(mishaps, lambda: feed.session.node if feed is not None else 0))
    if feed is not None:
        registry.register(MissingCollector(lambda: _watched(settings(), feed)))
    registry.register(MirrorCollector(lambda: mirrors_in(settings().store.path, now_ms())))
    registry.register(CertificateCollector(lambda: certificate_files(settings())))
    return registry


def history_of(settings: "Settings") -> "Callable[[], Reader]":
    """What opens a reader: the journal where its folder is, else the copy in InfluxDB."""
    from api.journal_here import has_journal
    from gateway.store.shards import reader_of

    influx, journal = settings.store.influx, reader_of(settings.store.path)
    if influx is None:
        return journal
    from gateway.influx.reader import InfluxReader

    return lambda: journal() if has_journal(settings) else InfluxReader(settings, influx)


def _watch(
    feed: "LiveFeed", stop: threading.Event, view: "LiveView", running: "Callable[[], Settings]", mishaps: "Mishaps"
) -> None:
    """Until the feed ends: tell the view which stations nobody watches."""
    from api.missing_gateways import Away
    from gateway.base.clock import monotonic_s

    away = Away(view.unwatched_threadsafe)
    while feed.is_alive():
        with mishaps.contained("which stations nobody watches"):
            away.look(running(), feed.gateways, monotonic_s())
        feed.join(LOOK_S)
    stop.set()
