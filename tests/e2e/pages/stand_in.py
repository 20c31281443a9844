"""A server that plays the API to the pages: scripted documents, a real stream, a clock that can be set.

One process, so that it can be killed and frozen like the real one.

    python -m tests.e2e.pages.stand_in --port 0 [--at 2026-11-21T14:32:08+08:00] [--ttl 180] [--stations 59]
"""

import argparse
import asyncio
import json
import math
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.responses import Response, StreamingResponse

from api.busy import WEEKS, BusyWeek
from api.live_view import Entry
from api.pages import PagePlace, router
from api.pages.busy import BusyPaper
from api.pages.report.words import Words
from api.wire_documents import read
from config.schema import StationSettings
from gateway.history.utilization import Minutes
from gateway.live.station_document import encoded
from tests.e2e.pages.alerted import allowed, made_up, staff
from tests.e2e.pages.scenes import PLAN, Scene, crowd, document, scenes, stamp

HEARTBEAT_S = 5.0
HOUR_MS = 3_600_000


class StandIn:
    def __init__(self, at_ms: int | None, ttl_ms: int, stations: int, full: bool = False, regions: int = 5) -> None:
        self.full = full
        self.offset = 0 if at_ms is None else at_ms - time.time_ns() // 1_000_000
        self.ttl_ms = ttl_ms
        self.scenes = scenes() | crowd(stations, regions)
        self.listed = list(crowd(stations)) or list(self.scenes)
        self.alerts = made_up(self.listed, self.now())
        self.orders = [{"id": "o-1", "alert": "al-3", "station": "", "assignee": "李工", "state": "accepted"}]
        self.versions = Counter[str]()

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset

    def document(self, scene: Scene, whole: bool = True) -> dict[str, Any]:
        return document(scene, self.now(), self.ttl_ms, whole)

    def standings(self) -> list[Entry]:
        return [Entry(encoded(read(self.body(name)), self.now()), 0) for name in self.listed]

    def body(self, station: str) -> bytes:
        return json.dumps(self.document(self.scenes[station])).encode()

    async def stream(self, station: str | None) -> AsyncIterator[bytes]:
        names = [station] if station else self.listed
        for name in names:
            yield _event("snapshot", self.document(self.scenes[name]))
        told = {name: self.versions[name] for name in names}
        renewed = beaten = time.monotonic()
        yield _event("heartbeat", {"time": stamp(self.now())})
        while True:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            again = now - renewed > self.ttl_ms / 3000
            for name in names:
                if again or told[name] != self.versions[name]:
                    told[name] = self.versions[name]
                    yield _event("availability", self.document(self.scenes[name]))
            renewed = now if again else renewed
            if now - beaten > min(HEARTBEAT_S, self.ttl_ms / 4000):
                beaten = now
                yield _event("heartbeat", {"time": stamp(self.now())})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def app(server: StandIn) -> FastAPI:
    web = FastAPI()
    places = {
        scene.id: PagePlace(
            scene.id, {"zh": scene.zh, "en": scene.en}, region=scene.region, lat=scene.lat, lon=scene.lon,
            address="雁山社区党群服务中心", hours="24/7", plan=PLAN if scene.id == "plan" else None,
            words=f"{scene.id}\n{scene.zh}\n{scene.en}".lower(),
        )
        for scene in server.scenes.values()
    }  # fmt: skip
    web.routes.extend(router(places, now_ms=server.now, documents=server.body, standings=server.standings).routes)

    @web.get("/api/v1/stations")
    def stations(near: str | None = None) -> dict[str, Any]:
        rows = [
            server.document(server.scenes[name], whole=False)
            | {
                "region": server.scenes[name].region,
                "location": {"lat": server.scenes[name].lat, "lon": server.scenes[name].lon},
            }
            for name in server.listed
        ]
        if near:
            rows = [
                row | {"distance_m": 1200 + 700 * i}
                for i, row in enumerate(rows)
                if row["summary"] and row["summary"][0]["usable_min"]
            ]
        return {"stations": rows}

    @web.get("/api/v1/stations/{station}")
    def station(station: str) -> dict[str, Any]:
        if station not in server.scenes:
            raise HTTPException(404)
        return server.document(server.scenes[station])

    @web.post("/set/{station}/{resource}/{state}")
    def set_state(station: str, resource: str, state: str) -> None:
        scene = server.scenes[station]
        server.scenes[station] = _with(scene, resource, state)
        server.versions[station] += 1

    @web.get("/api/v1/stream")
    def stream(station: str | None = None) -> Response:
        if station and station not in server.scenes:
            raise HTTPException(404)
        if server.full:
            raise HTTPException(429)
        return StreamingResponse(
            server.stream(station), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    staff(web, server)
    _rest(web, server)
    return web


def _with(scene: Scene, resource: str, state: str) -> Scene:
    areas = tuple(
        (key, zh, en, tuple(replace(thing, state=state) if thing.id == resource else thing for thing in things))
        for key, zh, en, things in scene.areas
    )
    return replace(scene, areas=areas)


def _rest(web: FastAPI, server: StandIn) -> None:
    @web.get("/api/v1/stations/{station}/left-out")
    def left_out(request: Request, station: str) -> dict[str, Any]:
        allowed(request)
        rows = [
            {"what": "pile-01 power_w", "count": 9},
            {"what": "lounge calendar: ends when it begins or before", "count": 2},
        ]
        return {"station": station, "left_out": rows if station == "half" else []}

    @web.post("/api/v1/stations/{station}/reports", status_code=202)
    def report(station: str) -> dict[str, str]:
        return {"report": "r1"}

    @web.get("/api/v1/stations/{station}/history")
    def history(request: Request, station: str, resource: str) -> dict[str, Any]:
        start, end = _window(request)
        return {"station": station, "resource": resource, "intervals": _intervals(server, resource, start, end)}

    @web.get("/m/{station}/busy")
    def busy(station: str, lang: str = "zh-Hans") -> Response:
        made: dict[int, Minutes] = {}
        for number, bucket in enumerate(_buckets(server, station, 0, 168 * HOUR_MS)):
            known, used = bucket["known_open_minutes"], bucket["occupied_minutes"]
            made[number] = Minutes(occupied=used, free=known - used, unknown=bucket["unknown_minutes"])
        known_as = StationSettings.model_validate({"id": station})
        told = BusyWeek(known_as, ZoneInfo("Asia/Shanghai"), server.now(), made, WEEKS)
        return Response(BusyPaper().print(told, Words(lang)), media_type="text/html")

    @web.get("/api/v1/stations/{station}/utilization")
    def utilization(request: Request, station: str) -> dict[str, Any]:
        start, end = _window(request)
        return {"station": station, "buckets": _buckets(server, station, start, end)}


def _window(request: Request) -> tuple[int, int]:
    start, end = (int(datetime.fromisoformat(request.query_params[name]).timestamp() * 1000) for name in ("from", "to"))
    return start, end


def _intervals(server: StandIn, resource: str, start: int, end: int) -> list[dict[str, Any]]:
    end, at, made, salt = min(end, server.now()), start, [], sum(map(ord, resource))
    while at < end:
        salt = (salt * 1103515245 + 12345) % 2**31
        length = (20 + salt // 65536 % 130) * 60_000
        kind = ("free", "occupied", "free", "occupied", "unknown", "free", "occupied")[salt // 1024 % 7]
        usable = {"free": "yes", "occupied": "no", "unknown": "unknown"}[kind]
        evidence = "stale" if kind == "unknown" else "live"
        made.append({
            "from": stamp(at), "to": stamp(min(end, at + length)), "usable": usable, "use": kind, "evidence": evidence,
        })  # fmt: skip
        at += length
    return made


def _buckets(server: StandIn, station: str, start: int, end: int) -> list[dict[str, Any]]:
    """A believable week: meals are busy, nights quiet, and a hole where nothing was heard."""
    made, first = [], start - start % HOUR_MS
    salt = sum(map(ord, station))
    for at in range(first, end, HOUR_MS):
        hour = (at // HOUR_MS + 8) % 24
        busy = 0.08 + 0.75 * math.exp(-((hour - 13) ** 2) / 5) + 0.55 * math.exp(-((hour - 20) ** 2) / 9)
        busy *= 0.6 + 0.4 * math.sin(salt + at // HOUR_MS // 24)
        hole = (at // HOUR_MS + salt) % 61 < 5
        made.append({
            "from": stamp(at), "to": stamp(at + HOUR_MS), "known_open_minutes": 0 if hole else 720,
            "occupied_minutes": 0 if hole else round(720 * min(1, busy)), "unknown_minutes": 720 if hole else 0,
        })  # fmt: skip
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--at", type=lambda text: int(datetime.fromisoformat(text).timestamp() * 1000))
    parser.add_argument("--ttl", type=float, default=180)
    parser.add_argument("--stations", type=int, default=0)
    parser.add_argument("--regions", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="no stream has a free slot")
    options = parser.parse_args()
    server = StandIn(options.at, int(options.ttl * 1000), options.stations, options.full, options.regions)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(256)
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(app(server), log_level="warning", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
