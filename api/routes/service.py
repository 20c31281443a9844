"""`/healthz`, `/readyz`, `/metrics`: for supervisors and Prometheus."""

import threading
from dataclasses import replace
from importlib.metadata import version

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse

from api.addresses import is_loopback
from api.auth import AccessGate
from api.context import ApiContext
from api.late_routes import Routes
from api.schemas import Alive, Ready
from gateway.runtime.status import Status

VERSION = version("yizhan")
NO_STORE = {"cache-control": "no-store"}


FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


def router(context: ApiContext) -> Routes:
    routes = Routes(tags=["service"])
    gate, kept = AccessGate(context.keyring, context.now), _PerTick(context)

    def inside(request: Request) -> bool:
        """Whether the asker is on this machine, not behind a proxy on it, or has a key that covers everything."""
        local = request.client is not None and is_loopback(request.client.host)
        if local and not any(name in request.headers for name in FORWARDED):
            return True
        key = gate.who(request)
        return key is not None and not (key.stations or key.regions)

    @routes.get("/healthz", response_model=Alive, summary="The process answers")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok", "version": VERSION}, headers=NO_STORE)

    @routes.get("/readyz", response_model=Ready, responses={503: {"model": Ready}}, summary="The main job runs")
    def readyz(request: Request) -> Response:
        status, files = context.status(), context.running.trouble()
        status = replace(status, degraded=files or status.degraded)
        here = inside(request)
        body: dict[str, object] = {
            "status": status.word,
            "checks": {
                "broker_connected": status.connected,
                "broker_subscribed": status.subscribed,
                "store_writable": status.store_ok,
            },
            "trouble": list(status.told) if here else _in_public(status, files),
        }
        if here and status.broker is not None:
            body["broker"] = status.broker
        return JSONResponse(body, 200 if status.ready else 503, headers=NO_STORE)

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        summary="Counters for Prometheus",
    )
    def metrics(request: Request) -> Response:
        body = generate_latest(context.registry) if inside(request) else kept.text()
        return Response(body, headers=NO_STORE | {"content-type": CONTENT_TYPE_LATEST})

    return routes


class _PerTick:
    """What strangers see of the counters: a text made once in each `privacy.tick_s`.

    A counter that moves with each message would tell, to the second, when somebody steps through a door.
    """

    def __init__(self, context: ApiContext) -> None:
        self._context, self._lock = context, threading.Lock()
        self._tick, self._text = -1, b""

    def text(self) -> bytes:
        tick = int(self._context.now() / 1000 // self._context.settings.privacy.tick_s)
        with self._lock:
            if tick != self._tick:
                self._tick, self._text = tick, generate_latest(self._context.registry)
            return self._text


def _in_public(status: Status, files: str | None) -> list[str]:
    """What is wrong, without addresses, paths and others' words. `files`: what is wrong with the configuration's."""
    told = []
    if not status.connected:
        told.append("no connection to the broker")
    elif not status.subscribed:
        told.append("the broker has not confirmed what is subscribed to")
    if not status.store_ok:
        told.append("the store takes no writes")
    if files is not None:
        told.append("the configuration's files are not what runs")
    elif status.degraded is not None:
        told.append(status.degraded)
    if status.troubles and not told:
        told.append("something beside the main job is wrong")
    return told
