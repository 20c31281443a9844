"""`/login/{provider}`: to a provider, and `/login/{provider}/back`: from it, with somebody who is known there."""

import logging
from html import escape
from typing import Annotated

from fastapi import HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse

from api.attempts import address_of
from api.context import ApiContext
from api.key import Key
from api.late_routes import Routes
from api.log_in import HOUR_MS, note_log_in, set_session, start_session
from api.oidc.door import NoLogInError, Provider, ProviderDoor, Returned
from api.oidc.pending import COOKIE, LIFE_S
from api.oidc.told import told_of
from api.pages import HEADERS, after_login

log = logging.getLogger(__name__)

NO_STORE = {**HEADERS, "cache-control": "no-store"}
Text = Annotated[str, Query(max_length=4096)]


def router(context: ApiContext, door: ProviderDoor) -> Routes:
    routes = Routes(include_in_schema=False)

    def known(name: str) -> Provider:
        provider = door.get(name)
        if provider is None:
            raise HTTPException(404, f"nobody logs in by {name[:64]} here")
        return provider

    async def failed(request: Request, provider: Provider, error: NoLogInError) -> Response:
        name, now, address = provider.provider.id, context.now(), address_of(request)
        log.warning("log-in by %s: %s", name, error)
        if error.why in ("stranger", "refused"):
            context.keyring.book.note(now, error.user or "unknown", "log_in_failed", name, f"{error}, {address}")
        if error.why in ("stranger", "refused", "code"):
            await context.attempts.failed(address, now)
        answer = RedirectResponse(f"/login{told_of(context.keyring.sessions, name, error)}", 303, NO_STORE)
        answer.delete_cookie(COOKIE, "/login", httponly=True, samesite="lax")
        return answer

    @routes.get("/login/{provider}")
    async def to(request: Request, provider: str, next: Text = "") -> Response:  # noqa: A002  what the page says
        way, agent = known(provider), request.headers.get("user-agent", "")
        try:
            address, cookie = await run_in_threadpool(
                door.begin, way, str(request.base_url), after_login(next or None), agent
            )
        except NoLogInError as error:
            return await failed(request, way, error)
        answer = RedirectResponse(address, 303, NO_STORE)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, LIFE_S, path="/login", httponly=True, samesite="lax", secure=secure)
        return answer

    @routes.get("/login/{provider}/back")
    async def back(
        request: Request, provider: str, state: Text = "", code: Text = "", error: Text = "", iss: Text | None = None
    ) -> Response:
        way, returned = known(provider), Returned(state, code, error, iss)
        context.attempts.may(address_of(request))
        cookie, base = request.cookies.get(COOKIE, ""), str(request.base_url)
        try:
            key, home = await run_in_threadpool(door.finish, way, base, returned, cookie)
        except NoLogInError as problem:
            return await failed(request, way, problem)
        return await run_in_threadpool(_in, context, request, key, way.provider.id, home)

    return routes


def _in(context: ApiContext, request: Request, key: Key, how: str, home: str) -> Response:
    """The session's cookie is kept from what other sites lead to, so the way on is begun by a page of ours."""
    now, hours = context.now(), context.settings.api.session_hours
    session = start_session(context.keyring, request, key, how, now, now + hours * HOUR_MS)
    note_log_in(context.keyring, request, key, how, now)
    to = escape(home)
    page = (
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={to}"><a href="{to}">驿站</a>'
    )
    answer = HTMLResponse(page, 200, NO_STORE)
    set_session(answer, session, hours, secure=request.url.scheme == "https")
    answer.delete_cookie(COOKIE, "/login", httponly=True, samesite="lax")
    return answer
