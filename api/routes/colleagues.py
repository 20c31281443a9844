"""`GET /api/v1/staff`: who can be given work, and where: names and roles of keys and people, never their ids."""

from typing import Any

from fastapi import Depends

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.routes.alerts import PROBLEMS, VIEWER

ROLES = frozenset[str](("viewer", "operator", "admin"))  # an app does no work


def router(context: ApiContext) -> Routes:
    routes = Routes(tags=["staff"], responses=PROBLEMS)
    gate = AccessGate(context.keyring, context.now)

    @routes.get("/api/v1/staff", openapi_extra=VIEWER, summary="Who works at the stations that this key covers")
    def colleagues(key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008  FastAPI's way
        now, ours = context.now(), _covered(context, key)
        colleagues: dict[str, dict[str, Any]] = {}
        for colleague in context.keyring.staff():
            if colleague.role not in ROLES or (colleague.expires_at is not None and colleague.expires_at <= now):
                continue
            theirs = _covered(context, colleague)
            if colleague.everywhere or ours & theirs:
                shared = sorted(ours & theirs)
                row = {"name": colleague.name, "role": colleague.role, "everywhere": colleague.everywhere}
                colleagues[colleague.name] = row | {"stations": [] if colleague.everywhere else shared}
        return {"staff": sorted(colleagues.values(), key=lambda row: str(row["name"]))}

    return routes


def _covered(context: ApiContext, key: Key) -> set[str]:
    return {station.id for station in context.settings.stations if key.covers(station.id, station.region)}
