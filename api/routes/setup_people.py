"""Keys for staff and apps by click: who they are and how far they reach. `yizhan keys` does the same at the box."""

from typing import Annotated, Any

from fastapi import Body, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccessGate, Key, Role
from api.context import ApiContext
from api.late_routes import Routes
from api.reach import RegionError, regions_of, resolve
from api.routes.setup import ADMIN, PROBLEMS, for_all_stations
from api.times import rfc3339
from gateway.policy.text import LONGEST_NAME, bounded, one_line

DAY_MS = 86_400_000


class KeyWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="who or what holds it; in the audit trail")
    role: Role
    stations: list[str] = Field([], max_length=1000, description="only for these; without stations and regions for all")
    regions: list[str] = Field([], max_length=100)
    days: int | None = Field(None, ge=1, le=3650, description="ends after so many days")


class KeySchema(BaseModel):
    id: str
    name: str
    role: Role
    stations: list[str]
    regions: list[str]
    created: str
    expires: str | None
    own: bool = Field(description="the one that asks")


class KeysSchema(BaseModel):
    keys: list[KeySchema]


class KeyMade(BaseModel):
    id: str
    key: str = Field(description="shown only this once")


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/setup", tags=["setting up"], responses=PROBLEMS)
    gate, keyring = AccessGate(context.keyring, context.now), context.keyring

    def admin(key: Key = Depends(gate.needs("admin"))) -> Key:  # noqa: B008
        for_all_stations(key)
        return key

    @routes.get("/keys", response_model=KeysSchema, openapi_extra=ADMIN, summary="Every key, without its secret")
    def keys(asking: Annotated[Key, Depends(admin)]) -> dict[str, Any]:
        return {"keys": [_told(key, key.id == asking.id) for key in keyring.all()]}

    @routes.post("/keys", status_code=201, response_model=KeyMade, openapi_extra=ADMIN, summary="Make a key")
    def create(wanted: Annotated[KeyWanted, Body()], asking: Annotated[Key, Depends(admin)]) -> dict[str, str]:
        name = one_line(wanted.name)
        if not name or bounded(wanted.name, LONGEST_NAME) != name:
            raise HTTPException(422, "name: write a name, without a number of a person")
        regions = _reach(context, wanted)
        now = context.now()
        ends = None if wanted.days is None else now + wanted.days * DAY_MS
        token = keyring.create(name, wanted.role, now, stations=wanted.stations, regions=regions, expires_at=ends)
        made, reach = token.split("_")[1], ",".join((*wanted.stations, *regions)) or "everywhere"
        keyring.book.note(now, asking.name, "key_created", made, f"{wanted.role} {name} {reach}")
        return {"id": made, "key": token}

    @routes.delete("/keys/{key}", status_code=204, openapi_extra=ADMIN, summary="End a key and its sessions at once")
    def revoke(key: str, asking: Annotated[Key, Depends(admin)]) -> None:
        if key == asking.id:
            raise HTTPException(409, "this is the key that you are logged in with; log in with another one first")
        if not keyring.revoke(key):
            raise HTTPException(404, "there is no such key; it may have been ended already")
        keyring.book.note(context.now(), asking.name, "key_revoked", key)

    return routes


def _reach(context: ApiContext, wanted: KeyWanted) -> tuple[str, ...]:
    """The regions as a key holds them. 422 for stations and regions that are not there."""
    settings = context.settings
    unknown = set(wanted.stations) - {station.id for station in settings.stations}
    if unknown:
        raise HTTPException(422, f"stations: not in the configuration: {', '.join(sorted(unknown))[:200]}")
    known = regions_of(station.region for station in settings.stations)
    try:
        return tuple(resolve(region, known) for region in wanted.regions)
    except RegionError as error:
        raise HTTPException(422, f"regions: {error}") from error


def _told(key: Key, own: bool) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "stations": key.stations,
        "regions": key.regions,
        "created": rfc3339(key.created_at),
        "expires": None if key.expires_at is None else rfc3339(key.expires_at),
        "own": own,
    }
