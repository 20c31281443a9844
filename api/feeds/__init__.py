"""Feeds, one file for each public standard: a file here with `FEED` is a route below `/feeds/`, and needs no more.

To add one, copy `_template.py`.
"""

import hashlib
from collections.abc import Iterable
from importlib import import_module

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.conditional import matches
from api.context import ApiContext
from api.feeds.base import Feed, FeedStation
from api.live_view import MAX_AGE_S, Entry
from api.problem import bad_parameter, not_found
from api.wire_documents import read
from api.workers import FEW_STATIONS
from config.modules import module_of, names_in
from config.schema import StationSettings
from gateway.model import Millis


def feeds() -> tuple[Feed, ...]:
    """Every feed, in the order of their names."""
    return tuple(import_module(f"{__name__}.{module_of(name)}").FEED for name in names_in("api/feeds"))


def router(context: ApiContext) -> APIRouter:
    routes = APIRouter(prefix="/feeds", tags=["feeds"])
    stations = {station.id: station for station in context.settings.stations}
    for feed in feeds():
        _add(routes, feed, context, stations)
    return routes


def _add(routes: APIRouter, feed: Feed, context: ApiContext, stations: dict[str, StationSettings]) -> None:
    async def of_all(request: Request) -> Response:
        return await _answer(request, feed, list(context.view), stations, context)

    async def of_one(request: Request, station: str) -> Response:
        entry = context.view.get(station)
        if entry is None:
            raise not_found(station)
        return await _answer(request, feed, [entry], stations, context)

    routes.add_api_route(
        f"/{feed.path}",
        of_one if "{station}" in feed.path else of_all,
        methods=["GET"],
        summary=feed.summary,
        response_class=Response,
        responses={200: {"content": {feed.media_type: {}}}},
    )


async def _answer(
    request: Request, feed: Feed, entries: list[Entry], stations: dict[str, StationSettings], context: ApiContext
) -> Response:
    def rendered() -> bytes:
        shown = [FeedStation(stations[entry.station], read(entry.body)) for entry in entries]
        return feed.render(shown, dict(request.query_params))

    now = context.view.now()
    try:
        if len(entries) <= FEW_STATIONS:
            body = await run_in_threadpool(rendered)
        else:
            body = await context.lists.answer(request, lambda _turn: rendered())
    except ValueError as error:
        key, _, what = str(error).partition(": ")
        raise bad_parameter(key, what) from None
    etag = f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
    headers = {"etag": etag, "cache-control": f"public, max-age={_max_age_s(entries, now)}"}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=feed.media_type, headers=headers)


def _max_age_s(entries: Iterable[Entry], now: Millis) -> int:
    """How long a cache may keep it: not past the deadline of anything in it."""
    ends = [entry.deadline for entry in entries if entry.deadline is not None]
    return max(0, min(MAX_AGE_S, (min(ends) - now) // 1000)) if ends else MAX_AGE_S
