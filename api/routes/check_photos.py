"""`/api/v1/stations/{station}/checks/{id}/photo`: what somebody saw on a round, for its staff."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel

from api.addresses import network_of
from api.auth import AccessGate, Key
from api.check_links import CheckLinks
from api.context import ApiContext
from api.derived import Derived
from api.jpeg import NoJpegError, without_metadata
from api.late_routes import Routes
from api.photos import LARGEST, AnotherPhotoError, EnoughPhotosError, Photos
from api.problem import not_found
from api.routes.alerts import PROBLEMS, VIEWER
from api.routes.reports import Rate
from gateway.evidence.checks import StoredCheck
from gateway.store.reports import ReportBooks

PER_HOUR = 1_000
"""Photos of one address."""
BODY = {
    "requestBody": {"required": True, "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
}
Id = Annotated[UUID, Path(description="the id of the check")]


class PhotoKept(BaseModel):
    """It is durable."""

    id: UUID


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/stations", tags=["checks"], responses=PROBLEMS)
    gate, links = AccessGate(context.keyring, context.now), Derived(context.running.settings, CheckLinks)
    photos, by_address = photos_of(context), Rate(PER_HOUR)

    def asks(station: str, request: Request) -> str:
        return links().who(request, station, gate, context.settings)

    @routes.put(
        "/{station}/checks/{id}/photo",
        status_code=201,
        response_model=PhotoKept,
        responses={
            200: {"model": PhotoKept, "description": "it was there"},
            **dict.fromkeys((409, 410, 413, 415, 429), PROBLEMS[404]),
        },
        openapi_extra=BODY,
        summary="Bring the photo of a check: a JPEG of at most 300 KiB",
    )
    async def brought(
        station: str,
        id: Id,  # noqa: A002
        request: Request,
        response: Response,
        by: str = Depends(asks),
    ) -> PhotoKept:
        address = network_of(request.client.host) if request.client is not None else "?"
        if not by_address.allows(address, context.now()):
            raise HTTPException(429, "so many photos in an hour; keep it and try again", {"retry-after": "600"})
        check = await asyncio.to_thread(_check, context, station, id)
        if not photos.keeps(check, context.now()):
            raise HTTPException(410, "photos of so old a check are not kept any more")
        photo = _plain(await request.body())
        if not await asyncio.to_thread(_kept, photos, check, photo):
            response.status_code = 200
        else:
            context.keyring.book.note(context.now(), by, "photo_kept", station, str(id))
        return PhotoKept(id=id)

    viewer = Depends(gate.needs("viewer"))

    @routes.get(
        "/{station}/checks/{id}/photo",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
        openapi_extra=VIEWER,
        summary="The photo of a check",
    )
    def seen(station: str, id: Id, key: Key = viewer) -> Response:  # noqa: A002
        known = context.settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        photo = photos.get(_check(context, station, id), context.now())
        if photo is None:
            raise HTTPException(404, "this check has no photo, or none any more")
        return Response(photo, media_type="image/jpeg", headers={"cache-control": "no-store"})

    return routes


def photos_of(context: ApiContext) -> Photos:
    """The photos of the configured store."""
    store = context.settings.store
    return Photos(store.path, store.retention.photos_days)


def _check(context: ApiContext, station: str, name: UUID) -> StoredCheck:
    check = ReportBooks(context.settings.store.path).find(str(name))
    if check is None or check.station != station:
        raise HTTPException(404, "there is no check of this id; report it first")
    return check


def _plain(body: bytes) -> bytes:
    if len(body) > LARGEST:
        raise HTTPException(413, f"a photo has at most {LARGEST} bytes; make it smaller")
    try:
        return without_metadata(body)
    except NoJpegError as error:
        raise HTTPException(415, str(error)) from error


def _kept(photos: Photos, check: StoredCheck, photo: bytes) -> bool:
    try:
        return photos.put(check, photo)
    except AnotherPhotoError:
        raise HTTPException(409, "this check has another photo already, and it stays") from None
    except EnoughPhotosError:
        raise HTTPException(429, "enough photos of this station's checks of that day") from None
    except OSError as error:
        raise HTTPException(503, f"the photo can't be stored: {error.strerror or error}") from error
