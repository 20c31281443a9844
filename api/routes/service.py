"""`/healthz`, `/readyz`, `/metrics`: for supervisors and Prometheus."""

from importlib.metadata import version

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse

from api.context import Context
from api.schemas import Alive, Ready

VERSION = version("yizhan")
NO_STORE = {"cache-control": "no-store"}


def router(context: Context) -> APIRouter:
    routes = APIRouter(tags=["service"])

    @routes.get("/healthz", response_model=Alive, summary="The process answers")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok", "version": VERSION}, headers=NO_STORE)

    @routes.get("/readyz", response_model=Ready, responses={503: {"model": Ready}}, summary="The main job runs")
    def readyz() -> Response:
        status = context.status()
        body = {
            "status": "ready" if status.ready else "not ready",
            "checks": {
                "broker_connected": status.connected,
                "broker_subscribed": status.subscribed,
                "store_writable": status.store_ok,
            },
            "trouble": list(status.troubles),
        }
        return JSONResponse(body, 200 if status.ready else 503, headers=NO_STORE)

    @routes.get("/metrics", response_class=Response, summary="Counters for Prometheus")
    def metrics() -> Response:
        return Response(generate_latest(context.registry), headers=NO_STORE | {"content-type": CONTENT_TYPE_LATEST})

    return routes
