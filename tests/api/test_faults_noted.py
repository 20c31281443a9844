"""Faults of ours on the API's side: each costs its answer, is noted for the alert, and the rest goes on."""

import asyncio
from pathlib import Path

import httpx
from fastapi import FastAPI

from api import problem
from api.app import _noted
from api.live_view import LiveView
from gateway.base.mishaps import Mishaps
from tests.api.conftest import NOON, Clock, settings_in
from tests.api.documents import document


def test_a_route_that_fails_answers_500_as_a_problem_and_is_noted_with_its_station() -> None:
    app, mishaps = FastAPI(), Mishaps()
    problem.install(app, mishaps)

    @app.get("/stations/{station}")
    def breaks(station: str) -> None:
        raise KeyError(station)

    async def asked() -> httpx.Response:
        way = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=way, base_url="http://x") as client:
            return await client.get("/stations/yanshan")

    answer = asyncio.run(asked())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert mishaps.take() == [("yanshan", "KeyError")]


def test_what_a_callback_on_the_loop_raises_is_noted_and_a_broken_line_is_not() -> None:
    mishaps = Mishaps()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: _noted(mishaps, loop, context))
        for error in (KeyError("a fault of ours"), ConnectionResetError("the other side went")):
            loop.call_soon(_raise, error)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert mishaps.take() == [(None, "KeyError")]


def _raise(error: Exception) -> None:
    raise error


def test_a_listener_that_fails_takes_the_document_from_nobody_else(tmp_path: Path) -> None:
    mishaps = Mishaps()
    view = LiveView(settings_in(tmp_path).stations, Clock(), mishaps)
    heard: list[str] = []
    view.listeners += [lambda _entry: _raise(KeyError("a fault of ours")), lambda entry: heard.append(entry.station)]
    view.feed_threadsafe([document("yanshan", [], [], NOON)])
    view._take()
    assert heard == ["yanshan"]
    assert mishaps.take() == [("yanshan", "KeyError")]
