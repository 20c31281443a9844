"""`/api/v1/sessions`: where somebody is logged in, and ending it; `/account` (我的账户): that and passkeys, a page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.form import form_fields
from api.late_routes import Routes
from api.pages import HEADERS
from api.pages.account import AccountPage, ShownPasskeys
from api.pages.preferences import dressed, preferences
from api.routes.passkeys import may_have, party_of
from api.schemas import ProblemDocument
from api.sessions import StartedSession
from api.times import rfc3339
from gateway.policy.text import LONGEST_NAME, bounded, one_line

VIEWER = {"x-role": "viewer"}
PROBLEMS: dict[int | str, dict[str, Any]] = {code: {"model": ProblemDocument} for code in (401, 403, 404)}
LONGEST_ID = 64


class SessionRow(BaseModel):
    id: str
    who: str = Field(description="the name of the key, or of the person")
    how: str = Field(description="by what they logged in: `key`, `code` (of an empty house), `passkey`, or a provider")
    device: str = Field(description="browser and system, as far as they say; `?` for one that nobody knows")
    since: str
    last_seen: str = Field(description="up to ten minutes before the last use")
    until: str
    own: bool = Field(description="the one that asks")


class SessionRows(BaseModel):
    sessions: list[SessionRow]


class SessionDesk:
    """The sessions that somebody may see and end: his own, and those of everybody for an admin of all stations."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def listed(self, key: Key, *, everybody: bool) -> Sequence[StartedSession]:
        """403 where `everybody` is asked for by who may see only his own."""
        if everybody and not rules_all(key):
            raise HTTPException(403, "only an admin of all stations sees the sessions of others")
        started = self._context.keyring.started_sessions(self._context.now())
        return [session for session in started if everybody or self._is_own(session, key)]

    def end(self, key: Key, session: str) -> None:
        """404 for one that is not there, or is another's."""
        if not self._end(key, lambda started: started.id == session and (self._is_own(started, key) or rules_all(key))):
            raise HTTPException(404, "there is no such session; it may have ended already")

    def end_others(self, key: Key, own: str | None) -> int:
        """Every other session of this key or person; how many."""
        return self._end(key, lambda session: self._is_own(session, key) and session.id != own)

    def _is_own(self, session: StartedSession, key: Key) -> bool:
        """Whether it is of the same person: all of a group have one id, each under a name of his own."""
        return session.key == key.id and (self._context.keyring.is_one_person(key) or session.who == key.name)

    def _end(self, key: Key, which: Callable[[StartedSession], bool]) -> int:
        keyring, now = self._context.keyring, self._context.now()
        try:
            ended = keyring.sessions.end(which, now)
        except OSError as error:
            raise HTTPException(503, "the folder of the store can't be written at the moment") from error
        for session in ended:
            told = f"{session.who}, {session.how}, {session.device}"
            keyring.book.note(now, key.name, "session_ended", session.id, told)
        return len(ended)


def router(context: ApiContext) -> Routes:
    routes = Routes(tags=["staff"], responses=PROBLEMS)
    gate, desk = AccessGate(context.keyring, context.now), SessionDesk(context)
    _api(routes, gate, desk)
    _page(routes, context, gate, desk)
    return routes


def _api(routes: Routes, gate: AccessGate, desk: SessionDesk) -> None:
    @routes.get("/api/v1/sessions", response_model=SessionRows, openapi_extra=VIEWER, summary="Where one is logged in")
    def sessions(
        request: Request,
        everybody: Annotated[bool, Query(alias="all", description="for an admin of all stations")] = False,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> SessionRows:
        own = gate.session_of(request)
        return SessionRows(sessions=[_row(session, own) for session in desk.listed(key, everybody=everybody)])

    @routes.delete("/api/v1/sessions", openapi_extra=VIEWER, summary="End every other session of one's own")
    def end_others(request: Request, key: Key = Depends(gate.needs("viewer"))) -> dict[str, int]:  # noqa: B008
        return {"ended": desk.end_others(key, gate.session_of(request))}

    @routes.delete("/api/v1/sessions/{session}", status_code=204, openapi_extra=VIEWER, summary="End a session at once")
    def end(session: str, key: Key = Depends(gate.needs("viewer"))) -> None:  # noqa: B008
        desk.end(key, session[:LONGEST_ID])


def _page(routes: Routes, context: ApiContext, gate: AccessGate, desk: SessionDesk) -> None:
    page = AccountPage()

    def shown(request: Request, key: Key, status: int = 200) -> Response:
        own, everybody = gate.session_of(request), rules_all(key) and request.query_params.get("all") == "1"
        sessions = desk.listed(key, everybody=everybody)
        zone, lang = context.settings.zone_of(None), preferences(request).lang
        passkeys = _shown_passkeys(context, request, key, own, everybody=everybody)
        told = page.told(
            key, sessions, own, zone, lang, everybody=everybody, may_see_all=rules_all(key), passkeys=passkeys
        )
        return HTMLResponse(dressed(request, told), status, {**HEADERS, "cache-control": "no-store"})

    @routes.get("/account", response_class=HTMLResponse, include_in_schema=False)
    def account(request: Request) -> Response:
        key = gate.who(request)
        if key is None:
            return HTMLResponse(dressed(request, page.gated(preferences(request).lang)), 401, HEADERS)
        return shown(request, key)

    @routes.post("/account", include_in_schema=False)
    async def deed(request: Request) -> Response:
        key = gate.needs("viewer")(request)
        fields = form_fields(await request.body())
        try:
            if "session" in fields:
                await run_in_threadpool(desk.end, key, fields["session"][:LONGEST_ID])
            elif "remove" in fields or "rename" in fields:
                await run_in_threadpool(_change_passkey, context, key, fields)
            elif fields.get("deed") == "end_others":
                await run_in_threadpool(desk.end_others, key, gate.session_of(request))
            else:
                return await run_in_threadpool(shown, request, key, 422)
        except HTTPException as error:
            if error.status_code != 404:
                raise
        everybody = "?all=1" if request.query_params.get("all") == "1" else ""
        return RedirectResponse(f"/account{everybody}", 303, HEADERS)


def _shown_passkeys(
    context: ApiContext, request: Request, key: Key, own: str | None, *, everybody: bool
) -> ShownPasskeys:
    keyring, now = context.keyring, context.now()
    owners = {
        passkey.key: good.name
        for passkey in keyring.passkeys.all()
        if (good := keyring.good(passkey.key, now)) is not None
    }
    shown = [
        passkey for passkey in keyring.passkeys.all() if passkey.key in owners and (everybody or passkey.key == key.id)
    ]
    party = party_of(context, request)
    obstacle: str | None = party.obstacle()
    if obstacle is None and not (may_have(keyring, key) and own):
        obstacle = "not_one"
    elif obstacle is None and request.url.hostname != party.id:
        obstacle = "elsewhere"
    return ShownPasskeys(shown, owners, obstacle, f"{party.origin}/account")


def _change_passkey(context: ApiContext, key: Key, fields: dict[str, str]) -> None:
    """Rename one's own, or remove one's own or, as an admin of all stations, anybody's. 404 for another."""
    keyring, now = context.keyring, context.now()
    wanted, name = fields.get("remove") or fields["rename"], one_line(bounded(fields.get("name", ""), LONGEST_NAME))
    passkey = next((passkey for passkey in keyring.passkeys.all() if passkey.id == wanted), None)
    own = passkey is not None and passkey.key == key.id
    if passkey is None or not (own or ("remove" in fields and rules_all(key))):
        raise HTTPException(404, "there is no such passkey; it may have been removed already")
    if "remove" in fields:
        keyring.passkeys.change(wanted, lambda _: None)
        keyring.book.note(now, key.name, "passkey_removed", wanted, passkey.name)
    elif name:
        keyring.passkeys.change(wanted, lambda before: replace(before, name=name))
        keyring.book.note(now, key.name, "passkey_renamed", wanted, f"{passkey.name}: {name}")


def rules_all(key: Key) -> bool:
    """Whether the key is an admin's of all stations."""
    return key.at_least("admin") and key.everywhere


def _row(session: StartedSession, own: str | None) -> SessionRow:
    return SessionRow(
        id=session.id,
        who=session.who,
        how=session.how,
        device=session.device,
        since=rfc3339(session.since),
        last_seen=rfc3339(session.seen),
        until=rfc3339(session.until),
        own=session.id == own,
    )
