"""The routes: one file each, one line here. Feeds are found by their names (`api/feeds`)."""

from collections.abc import Callable

from fastapi import APIRouter

from api import feeds
from api.context import ApiContext
from api.routes import (
    alerts,
    boxes,
    check_page,
    check_photos,
    checks,
    colleagues,
    compare,
    configuration,
    discover,
    docs,
    history,
    left_out,
    link,
    orders,
    override,
    piles,
    promises,
    report,
    reports,
    rooms,
    service,
    session,
    sessions,
    setup,
    setup_channels,
    setup_door,
    setup_people,
    setup_sheet,
    stations,
    stream,
    tally,
    utilization,
    visits,
    wish_pages,
    wishes,
)
from gateway.alerting import Alerting

ROUTERS: tuple[Callable[[ApiContext], APIRouter], ...] = (
    stations.router,
    history.router,
    utilization.router,
    visits.router,
    rooms.router,
    tally.router,
    wishes.router,
    wish_pages.router,
    sessions.router,
    report.router,
    promises.router,
    compare.router,
    boxes.router,
    override.router,
    piles.router,
    colleagues.router,
    checks.router,
    check_photos.router,
    check_page.router,
    stream.router,
    session.router,
    service.router,
    docs.router,
    discover.router,
    configuration.router,
    feeds.router,
    left_out.router,
    setup.router,
    setup_people.router,
    setup_channels.router,
    setup_door.router,
    setup_sheet.router,
)

STAFF_ROUTERS: tuple[Callable[[ApiContext, Alerting | None], APIRouter], ...] = (
    alerts.router,
    link.router,
    orders.router,
    reports.router,
)
