"""Who am I, log in, log out: staff access for apps (a key in the header) and for pages (a cookie)."""

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from api.auth import COOKIE, Gate, Key, refuse_foreign
from api.context import Context
from api.schemas import ProblemDocument, Session
from api.times import rfc3339

HOUR_MS = 3_600_000
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


def router(context: Context) -> APIRouter:
    routes = APIRouter(tags=["staff"])
    gate = Gate(context.keyring, context.now)
    hours = context.settings.api.session_hours

    @routes.get(
        "/api/v1/session",
        response_model=Session,
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
        key = context.keyring.check(_form(await request.body(), "key"), context.now())
        if key is None and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login?wrong=1", 303)
        if key is None:
            raise HTTPException(401, "this key is not known, has expired or was revoked")
        session = context.keyring.open_session(key, context.now() + hours * HOUR_MS)
        return _home_with(session, hours, secure=request.url.scheme == "https")

    @routes.post("/logout", response_class=Response, status_code=303, summary="Log a browser out")
    async def logout(request: Request) -> Response:
        refuse_foreign(request)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return routes


def _home_with(session: str, hours: int, *, secure: bool) -> Response:
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, session, hours * 3600, httponly=True, samesite="strict", secure=secure)
    return answer


def _form(body: bytes, name: str) -> str:
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
    return fields.get(name, [""])[0].strip()
