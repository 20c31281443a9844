"""`PUT /api/v1/stations/{station}/override`: set by hand, by staff or a partner venue's own link, always with an end.

What is set travels as a command on `yz-cmd/{station}/override` and comes back as state: only the gateway decides.
"""

import hmac
import logging
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

from fastapi import Body, Depends, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from api.alert_books import AlertBooks
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.derived import Derived
from api.errands import SaidToBox, followed, waiting_words
from api.late_routes import Routes
from api.pile_desk import PileDesk
from api.problem import not_found
from api.routes.alerts import OPERATOR, PROBLEMS, VIEWER
from api.times import rfc3339
from config.files import read_secret
from config.schema import Settings, StationSettings
from gateway.commands import LIFE_MS
from gateway.model import Millis
from gateway.policy.override import (
    LONGEST_NOTE,
    MAX_SPAN_MS,
    PARTNER,
    Command,
    Override,
    Overrides,
    OverrideTarget,
    SetStatus,
    encode_command,
)
from gateway.store.base import StoreError

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
TOKEN_MIN = 16  # characters; a shorter one could be guessed
PARTNER_WORDS = ("open", "closed", "free", "busy")
Token = Annotated[str | None, Header(alias="x-partner-token", description="the last part of a partner's link /p/…")]


class Word(BaseModel):
    """What to set. Without `status` what was set before is taken back; without a place it is for the whole station."""

    model_config = ConfigDict(extra="forbid")

    status: SetStatus | None = None
    until: Annotated[datetime | None, Field(description="RFC 3339 with offset; needed, but for a partner")] = None
    area: str | None = None
    resource: str | None = None
    note: Annotated[str, Field(max_length=LONGEST_NOTE, description="for staff, not public")] = ""


class Sent(BaseModel):
    """On its way to the gateway; `until` is what will hold. `box`: of a station that a box tells us of, whether the box
    has done it, or it waits for the box's line; until then it holds nowhere."""

    station: str
    status: SetStatus | None
    until: str | None
    box: SaidToBox | None = None


class Partner(NamedTuple):
    station: StationSettings
    valid_ms: Millis


class Partners:
    """Who holds which link. Only digests are kept, and compared in constant time."""

    def __init__(self, settings: Settings) -> None:
        self._of: list[tuple[bytes, Partner]] = []
        for station in settings.stations:
            if station.partner is None:
                continue
            try:
                token = read_secret(station.partner.token_file, f"stations.{station.id}.partner.token_file")
            except ValueError as error:
                log.error("%s", error)
                continue
            if len(token) < TOKEN_MIN:
                log.error("stations.%s.partner: the token is shorter than %d characters", station.id, TOKEN_MIN)
                continue
            partner = Partner(station, station.partner.valid_hours * HOUR_MS)
            self._of.append((sha256(token.encode()).digest(), partner))

    def find(self, token: str | None) -> Partner | None:
        digest = sha256((token or "").encode()).digest()
        partners = [partner for known, partner in self._of if hmac.compare_digest(known, digest)]
        return partners[0] if token and partners else None


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1", tags=["by hand"], responses=PROBLEMS)
    gate, partners_of = AccessGate(context.keyring, context.now), Derived(context.running.settings, Partners)
    piles = PileDesk(context)

    def asks(station: str, request: Request, token: Token = None) -> Key | Partner:
        partner = partners_of().find(token)
        if partner is not None and partner.station.id == station:
            return partner
        key = gate.needs("operator")(request)
        known = context.settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        return key

    @routes.put(
        "/stations/{station}/override",
        status_code=202,
        response_model=Sent,
        openapi_extra=OPERATOR,
        summary="Set by hand",
    )
    def override(station: str, word: Annotated[Word, Body()], who: Annotated[Key | Partner, Depends(asks)]) -> Sent:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        if isinstance(who, Partner):
            return _by_partner(context, who, word)
        until = _until(word, context.now())
        sent = send(context, known, word, until, who.name)
        out = until if word.status == "maintenance" else None
        piles.follow(known.id, _chargers(known, word), who.name, out)
        return sent

    @routes.put("/partner/override", status_code=202, response_model=Sent, summary="The same for a partner's own page")
    def by_link(word: Annotated[Word, Body()], token: Token = None) -> Sent:
        partner = partners_of().find(token)
        if partner is None:
            raise HTTPException(401, "this link is not known; ask the operator for a new one")
        return _by_partner(context, partner, word)

    @routes.get("/stations/{station}/override", openapi_extra=VIEWER, summary="What is set by hand, and by whom")
    def words(station: str, key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008  FastAPI's way
        known = context.settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        return {"words": _words(context, station)}

    return routes


def _chargers(station: StationSettings, word: Word) -> list[str]:
    """The devices of the chargers that a word is about."""
    return [
        resource.device or resource.id
        for area in station.areas
        for resource in area.resources
        if resource.kind == "charger" and word.area in (None, area.id) and word.resource in (None, resource.id)
    ]


def _words(context: ApiContext, station: str) -> list[dict[str, Any]]:
    """What holds, then what waits for the station's box; a word whose time has run out is none."""
    try:
        books = AlertBooks(context.settings.store.path)
    except StoreError as error:
        raise HTTPException(503, "there is no store to read yet; is the gateway running?") from error
    try:
        kept = [Overrides.load(kept_words, context.now()) for kept_words in books.words_by_hand()]
        waiting = waiting_words(context.settings.store.path, station)
    except StoreError as error:
        raise HTTPException(503, "the store can't be read at the moment") from error
    finally:
        books.close()
    rows = [_row(target, word) for overrides in kept for target, word in overrides.of_station(station)]
    return rows + [_row(target, word, box) for target, word, box in waiting]


def _row(target: OverrideTarget, word: Override, box: str | None = None) -> dict[str, Any]:
    return {
        "area": target.area, "resource": target.resource, "status": word.status, "by": word.by, "note": word.note,
        "until": None if word.until is None else rfc3339(word.until), "partner": word.partner, "waits_for": box,
    }  # fmt: skip


def _by_partner(context: ApiContext, partner: Partner, word: Word) -> Sent:
    """A partner speaks for its whole venue, and for so long as its link allows."""
    if word.area is not None or word.resource is not None:
        raise HTTPException(403, "a partner's link sets the venue as a whole; leave area and resource out")
    if word.status is not None and word.status not in PARTNER_WORDS:
        raise HTTPException(403, f"a partner's link sets one of: {', '.join(PARTNER_WORDS)}")
    now = context.now()
    latest = now + partner.valid_ms
    until = min(_until(word, now), latest) if word.until is not None else latest
    return send(context, partner.station, word, until, PARTNER, partner=True)


def _until(word: Word, now: Millis) -> Millis:
    if word.status is None:
        return 0
    if word.until is None or word.until.tzinfo is None:
        raise HTTPException(422, "until is missing or has no offset; write it like 2026-05-01T18:00:00+08:00")
    until = round(word.until.timestamp() * 1000)
    if not now < until <= now + MAX_SPAN_MS:
        raise HTTPException(422, "until must lie ahead, by at most 366 days")
    return until


def send(
    context: ApiContext, station: StationSettings, word: Word, until: Millis, by: str, *, partner: bool = False
) -> Sent:
    """Tell the gateway. HTTPException where there is none, or no such place."""
    if context.command is None:
        raise HTTPException(503, "there is no gateway to tell; try again when one is running")
    _place(station, word)
    said = Override(word.status, until, by, word.note) if word.status is not None else None
    expires = context.now() + LIFE_MS // 2
    command = Command(secrets.token_hex(16), expires, by, word.area, word.resource, said, partner)
    try:
        context.command(f"yz-cmd/{station.id}/override", encode_command(command))
    except ConnectionError as error:
        raise HTTPException(503, "the gateway can't be reached at the moment; try again") from error
    box = followed(context.settings, station.id, command.nonce)
    if box is not None and box.state == "refused":
        raise HTTPException(409, f"box {box.box} refuses: {box.why}")
    log.info("station %s: %s set by %s", station.id, word.status or "nothing", by)
    return Sent(station=station.id, status=word.status, until=rfc3339(until) if said is not None else None, box=box)


def _place(station: StationSettings, word: Word) -> None:
    if word.area is not None and word.resource is not None:
        raise HTTPException(422, "names an area and a resource; name one")
    if word.area is not None and all(area.id != word.area for area in station.areas):
        raise HTTPException(404, f"station {station.id} has no area {word.area[:64]!r}")
    resources = {resource.id for area in station.areas for resource in area.resources}
    if word.resource is not None and word.resource not in resources:
        raise HTTPException(404, f"station {station.id} has no resource {word.resource[:64]!r}")
