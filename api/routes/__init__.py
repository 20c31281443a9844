"""The routes: one file each, one line here."""

from collections.abc import Callable

from fastapi import APIRouter

from api.context import Context
from api.routes import docs, history, service, session, stations, stream, utilization

ROUTERS: tuple[Callable[[Context], APIRouter], ...] = (
    stations.router,
    history.router,
    utilization.router,
    stream.router,
    session.router,
    service.router,
    docs.router,
)
