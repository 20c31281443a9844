"""Who am I, log in, log out: staff access for apps (a key in the header) and for pages (a cookie)."""

from typing import Any

from fastapi import Depends, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from api.attempts import address_of
from api.auth import COOKIE, AccessGate, Key, refuse_foreign
from api.context import ApiContext
from api.form import form_fields
from api.late_routes import Routes
from api.log_in import BY_KEY, HOUR_MS, home_with, note_log_in, start_session
from api.pages import after_login
from api.schemas import ProblemDocument, SessionSchema
from api.times import rfc3339

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}
            }
        },
    }
}


def router(context: ApiContext) -> Routes:
    routes = Routes(tags=["staff"])
    gate = AccessGate(context.keyring, context.now)
    hours, keyring = context.settings.api.session_hours, context.keyring
    attempts = context.attempts

    @routes.get(
        "/api/v1/session",
        response_model=SessionSchema,
        responses={401: {"model": ProblemDocument}},
        openapi_extra={"x-role": "viewer"},
        summary="Whose key this is",
    )
    def session(key: Key = Depends(gate.needs("viewer"))) -> dict[str, Any]:  # noqa: B008  FastAPI's way
        return {
            "name": key.name,
            "role": key.role,
            "stations": key.stations,
            "regions": key.regions,
            "expires": None if key.expires_at is None else rfc3339(key.expires_at),
        }

    @routes.post("/login", response_class=Response, status_code=303, openapi_extra=FORM, summary="Log a browser in")
    async def login(request: Request) -> Response:
        refuse_foreign(request)
        address, now = address_of(request), context.now()
        fields = form_fields(await request.body())
        key = keyring.check(fields.get("key", ""), now)
        # Asked first: strangers behind the same proxy hold up nobody who has a key.
        if key is None or not key.at_least("viewer"):
            attempts.may(address)
            await attempts.failed(address, now)
            if "text/html" in request.headers.get("accept", ""):
                return RedirectResponse("/login?wrong=1", 303)
            raise HTTPException(401, "this key is not known, has expired or was revoked")
        session = start_session(keyring, request, key, BY_KEY, now, now + hours * HOUR_MS)
        note_log_in(keyring, request, key, BY_KEY, now)
        home = after_login(fields.get("next", ""))
        return home_with(session, hours, secure=request.url.scheme == "https", home=home)

    @routes.post("/logout", response_class=Response, status_code=303, summary="Log a browser out")
    async def logout(request: Request) -> Response:
        refuse_foreign(request)
        cookie, now = request.cookies.get(COOKIE), context.now()
        key = keyring.end_session(cookie, now) if cookie else None
        if key is not None:
            keyring.book.note(now, key.name, "logged_out", key.id, address_of(request))
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return routes
