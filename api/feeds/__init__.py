"""Feeds, one file for each public standard: a file here with `FEED` is a route below `/feeds/`, and needs no more.

To add one, copy `_template.py`.
"""

from collections.abc import Iterable
from importlib import import_module

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from api.conditional import etag_of, matches
from api.context import ApiContext
from api.derived import Derived
from api.feeds.base import Feed, FeedRequest, FeedStation
from api.feeds.shared.changes import Changes
from api.feeds.shared.configured import Configured
from api.late_routes import Routes
from api.live_view import MAX_AGE_S, Entry
from api.problem import bad_parameter, not_found
from api.wire_documents import read
from api.workers import FEW_STATIONS
from config.modules import module_of, names_in
from gateway.model import Millis


def feeds() -> tuple[Feed, ...]:
    """Every feed, in the order of their names."""
    return tuple(import_module(f"{__name__}.{module_of(name)}").FEED for name in names_in("api/feeds"))


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/feeds", tags=["feeds"])
    answers = Answers(context)
    for feed in feeds():
        _add(routes, feed, answers)
    return routes


def _add(routes: Routes, feed: Feed, answers: "Answers") -> None:
    async def of_all(request: Request) -> Response:
        return await answers(request, feed, list(answers.context.view))

    async def of_one(request: Request, station: str) -> Response:
        entry = answers.context.view.get(station)
        if entry is None:
            raise not_found(station)
        return await answers(request, feed, [entry])

    async def of_area(request: Request, station: str, area: str) -> Response:  # noqa: ARG001  a word of the path
        return await of_one(request, station)

    of_part = of_area if "{area}" in feed.path else of_one
    routes.add_api_route(
        f"/{feed.path}",
        of_part if "{station}" in feed.path else of_all,
        methods=["GET"],
        summary=feed.summary,
        response_class=Response,
        responses={200: {"content": {feed.media_type: {}}}},
    )


class Answers:
    """Feeds as they are asked for, each answer from the documents of that moment."""

    def __init__(self, context: ApiContext) -> None:
        self.context = context
        self._changes = Changes()
        self._configured: Derived[Configured] = Derived(context.running.settings, Configured)

    async def __call__(self, request: Request, feed: Feed, entries: list[Entry]) -> Response:
        context, now = self.context, self.context.view.now()
        try:
            if len(entries) <= FEW_STATIONS:
                body = await run_in_threadpool(self._rendered, request, feed, entries, now)
            else:
                body = await context.lists.answer(request, lambda _turn: self._rendered(request, feed, entries, now))
        except ValueError as error:
            key, _, what = str(error).partition(": ")
            raise bad_parameter(key, what) from None
        except LookupError as error:
            raise not_found(str(error.args[0])) from None
        etag = etag_of(body)
        # Without a configured address the answer names the one that was asked for: no shared cache may keep it.
        shared = "public" if context.settings.api.public_url else "private"
        headers = {"etag": etag, "cache-control": f"{shared}, max-age={_max_age_s(entries, now)}"}
        if matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=feed.media_type, headers=headers)

    def _rendered(self, request: Request, feed: Feed, entries: list[Entry], now: Millis) -> bytes:
        configured = self._configured()
        root = (configured.settings.api.public_url or str(request.base_url)).rstrip("/")
        words = {**request.query_params, **request.path_params}
        asked = FeedRequest(words, root, now, configured.hours, self.context.activities)
        known = [entry for entry in entries if entry.station in configured.stations]
        if "{station}" in feed.path and not known:  # it has just been removed
            raise LookupError(entries[0].station)
        return feed.render([self._station(configured, entry, now) for entry in known], asked)

    def _station(self, configured: Configured, entry: Entry, now: Millis) -> FeedStation:
        station, shown = configured.stations[entry.station], read(entry.body)
        zone = station.timezone or configured.settings.timezone
        return FeedStation(station, shown, zone, self._changes.changed_at(station, shown, now))


def _max_age_s(entries: Iterable[Entry], now: Millis) -> int:
    """How long a cache may keep it: not past the deadline of anything in it."""
    ends = [entry.deadline for entry in entries if entry.deadline is not None]
    return max(0, min(MAX_AGE_S, (min(ends) - now) // 1000)) if ends else MAX_AGE_S
