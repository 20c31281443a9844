"""The HTTP side put together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from msgspec.json import encode
from prometheus_client import CollectorRegistry, Gauge
from starlette.types import Receive, Scope, Send

from api import openapi, pages, problem
from api.audit_export import AuditExports
from api.auth import Keyring
from api.backups.schedule import BackupThread
from api.behind import Lagging, TellsLag
from api.context import ApiContext
from api.front import Front
from api.late_routes import routes_of
from api.live_view import LiveView
from api.nightly_feeds import NightlyFeeds
from api.ocpi.partners import partner_name
from api.ocpi.side import OcpiSide
from api.oidc.door import ProviderDoor
from api.oidc.told import LogInPage
from api.outward_use import OutwardUse
from api.pages.place import PlacesShown, places_of
from api.pile_line import PileLines
from api.push import Hub, StreamLimits
from api.quick_lists import QuickLists
from api.room_search import RoomSearch
from api.routes import ROUTERS, STAFF_ROUTERS, log_in, subscriptions
from api.routes.check_photos import photos_of
from api.routes.passkeys import can_log_in
from api.routes.service import VERSION
from api.running import Fixed, Running
from api.setup.code import SetupCode
from api.walls import Walls
from api.webhooks.deliveries import Deliveries
from api.webhooks.side import WebhookSide
from api.wish_desk import WishDesk
from config.schema import Settings
from gateway.alerting import Alerting
from gateway.alerts.payload import alert_json
from gateway.alerts.words import AlertEvent
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.base.times import rfc3339
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.runtime.status import Status
from gateway.store.base import Reader
from gateway.store.files import forget_copies

log = logging.getLogger(__name__)

FORGET_EVERY_S = 3_600
WISHES_EVERY_S = 600
USE_EVERY_S = 600


class App:
    """The ASGI application. `close` ends every open stream and costly question, so that a server can stop at once."""

    def __init__(
        self, front: Front, context: ApiContext, shown: PlacesShown | None = None, lagging: Lagging | None = None
    ) -> None:
        """`lagging`: how far behind mirrors are."""
        self._front, self.context, self._shown = front, context, shown
        self.lagging = lagging or Lagging(lambda: context.settings, context.now)
        self.ticks = 0  # of the server's loop, ten a second

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """What has the routes show this configuration. OSError when a floor plan can't be read. Any thread."""
        places = places_of(settings)

        def follow() -> None:
            if self._shown is not None:
                self._shown.configure(places)
            self.context.keyring.configure(settings)
            self.context.view.configure(settings.stations)

        return follow

    def close(self) -> None:
        self.context.hub.close()
        self.context.workers.close()
        self.context.lists.close()
        self.context.pile_lines.close()


def create_app(
    view: LiveView,
    reader_factory: Callable[[], Reader],
    settings: Settings,
    status: Callable[[], Status],
    *,
    registry: CollectorRegistry,
    now: Callable[[], Millis] = now_ms,
    alerting: Alerting | None = None,
    command: Callable[[str, bytes], None] | None = None,
    mishaps: Mishaps | None = None,
    on_screen: Callable[[str, str], None] = lambda _screen, _station: None,
    left_out: Callable[[], Mapping[str, int]] = dict,
    running: Running | None = None,
    activities: Callable[[str], Mapping[str, Sequence[Activity]]] | None = None,
    setup_code: SetupCode | None = None,
    filling: Callable[[], bool] = lambda: False,
) -> App:
    """Every route over one live view. `status` and `reader_factory` are called from worker threads.

    `alerting` is None where the gateway is another process: staff can then only look. `command` reaches any gateway.
    `left_out()`: what is left out of what is told, as `station/what`, and how often.
    `activities(station)`: what the calendars of its areas say, None where the gateway is another process.
    `on_screen(screen, station)` hears of each wall screen once a minute, from the script of its page. `mishaps`: where
    faults of ours are noted. `running` takes the configuration's files up again; without it there are none.
    `setup_code` lets the first administrator in. `filling`: whether a past is still being filled in.
    """
    stream = settings.api.stream
    limits = StreamLimits(
        stream.clients_total, stream.clients_per_address, stream.reserved_for_screens, stream.send_timeout_s
    )
    mishaps = mishaps or Mishaps()
    hub = Hub(view, limits, mishaps)
    Gauge("yizhan_sse_clients", "open event streams", registry=registry).set_function(hub.__len__)
    keyring = Keyring.of(settings)
    with contextlib.suppress(OSError):  # a folder that can't be written is told where it matters, at a log-in
        keyring.sessions.prepare()
    walls = Walls(settings.store.path)
    context = ApiContext(
        running or Fixed(settings), view, hub, reader_factory, status, now, keyring, registry, command,
        walls=walls, left_out=left_out, activities=activities, setup_code=setup_code,
        pile_lines=PileLines(settings, mishaps),
    )  # fmt: skip
    app, door = _fastapi(context, alerting, mishaps), ProviderDoor(context)
    shown = PlacesShown(places_of(settings))
    at_the_end = (
        log_in.router(context, door),
        pages.router(
            shown,
            public_url=settings.api.public_url,
            timezone=settings.timezone,
            tiles_url=settings.api.tiles_url,
            on_screen=on_screen,
            filling=filling,
            log_in=LogInPage(door, keyring.sessions, partial(can_log_in, context)),
            walls=walls,
            now_ms=now,
            standings=lambda: view,
            rooms=RoomSearch(context),
            documents=lambda station: None if (entry := view.get(station)) is None else entry.body,
        ),
    )
    app.routes.extend(routes_of(at_the_end))
    lagging = Lagging(lambda: context.settings, now)
    app.add_middleware(TellsLag, lagging=lagging)
    return App(Front(app, view, mishaps, QuickLists(view, context.directory)), context, shown, lagging)


def _fastapi(context: ApiContext, alerting: Alerting | None, mishaps: Mishaps) -> FastAPI:
    use = OutwardUse(context.settings.store.path)
    ocpi, webhooks = OcpiSide(context, mishaps, use), WebhookSide(context, alerting, mishaps)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Mapping[str, object]]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(partial(_noted, mishaps, otherwise=loop.get_exception_handler()))

        def show(event: AlertEvent) -> None:
            alert, body = event.alert, encode(alert_json(event.alert))
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(context.hub.alert, alert.station, alert.id, body)

        if alerting is not None:
            alerting.dispatch.listeners.append(show)
        context.view.attach(loop)
        context.hub.start()
        tidying = [asyncio.create_task(work(context, mishaps)) for work in (_forgetting, _wishing)]
        tidying.append(asyncio.create_task(_watching_use(context, mishaps, use, webhooks.deliveries)))
        tidying.append(asyncio.create_task(NightlyFeeds(context, app, ocpi.locations, mishaps).run()))
        ocpi.start()
        webhooks.start()
        backups = BackupThread(lambda: context.settings, context.now, mishaps)
        backups.start()
        yield {}
        backups.end()
        webhooks.stop()
        ocpi.stop()
        for task in tidying:
            task.cancel()
        context.hub.close()
        context.view.detach()

    app = FastAPI(
        title="yizhan 驿站",
        version=VERSION,
        summary="What is free in couriers' rest stations and community venues, right now, and how we know",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problem.install(app, mishaps)
    groups = [router(context) for router in ROUTERS]
    groups += [staff_router(context, alerting) for staff_router in STAFF_ROUTERS]
    groups += [ocpi.routes, subscriptions.router(context, webhooks.deliveries)]
    app.routes.extend(routes_of(groups))
    openapi.document(app)
    return app


async def _forgetting(context: ApiContext, mishaps: Mishaps) -> None:
    """Photos go on their day, and the audit trail is exported on its own, whether or not anybody asks."""
    photos = photos_of(context)
    while True:
        store = context.settings.store
        with mishaps.contained("the export of the audit trail"):
            await asyncio.to_thread(AuditExports(store.path, store.retention.alerts_days).keep_up, context.now())
            await asyncio.to_thread(forget_copies, store.path, context.now())
        with mishaps.contained("photos"):
            await asyncio.to_thread(photos.forget, context.now())
        await asyncio.sleep(FORGET_EVERY_S)


async def _wishing(context: ApiContext, mishaps: Mishaps) -> None:
    """Wishes that somebody took up follow the calendars, whether or not anybody looks."""
    desk = WishDesk(context)
    while True:
        with mishaps.contained("wishes"):
            await asyncio.to_thread(desk.look, context.settings.stations)
        await asyncio.sleep(WISHES_EVERY_S)


async def _watching_use(context: ApiContext, mishaps: Mishaps, use: OutwardUse, deliveries: Deliveries) -> None:
    """Partners and subscriptions that nobody used for a week are told of, once a week."""

    def look() -> None:
        now, ocpi = context.now(), context.settings.ocpi
        known: dict[str, tuple[Millis, Millis | None]] = {
            f"subscription {subscription.id}": (subscription.created_at, subscription.delivered_at)
            for subscription in deliveries.all_if_any()
            if subscription.disabled_at is None
        }
        known |= {partner_name(partner.id): (now, None) for partner in (ocpi.partners if ocpi else ())}
        for name, since in use.look(known, now).items():
            log.warning(
                "%s took nothing for a week, the last time at %s: does the other side still run?", name, rfc3339(since)
            )
            context.keyring.book.note(now, "yizhan", "unused_for_a_week", name, rfc3339(since))

    while True:
        with mishaps.contained("who uses what we tell"):
            await asyncio.to_thread(look)
        await asyncio.sleep(USE_EVERY_S)


LoopHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


def _noted(
    mishaps: Mishaps, loop: asyncio.AbstractEventLoop, context: dict[str, Any], otherwise: LoopHandler | None = None
) -> None:
    """What a callback or a task on the loop raised, and nobody waited for. Lines that break are no fault of ours: they
    go to the handler that was there before (`otherwise`: the server's, which tells of too many open files seldom)."""
    error = context.get("exception")
    if isinstance(error, Exception) and not isinstance(error, OSError):
        mishaps.note(f"the API: {context.get('message')}", error)
    elif otherwise is not None:
        otherwise(loop, context)
    else:
        loop.default_exception_handler(context)
