"""How the first administrator comes in: the one-time code in the log of an empty house becomes a session."""

import logging
from typing import Final

from fastapi import HTTPException, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from api.attempts import Attempts, address_of
from api.auth import Key, Keyring, refuse_foreign
from api.context import ApiContext
from api.form import form_fields
from api.late_routes import Routes
from api.log_in import HOUR_MS, home_with, start_session
from gateway.model import Millis

log = logging.getLogger(__name__)

SETUP_KEY: Final = "setup"
"""The name of the key behind the session that the code opens; nobody is ever told its secret."""

BY_CODE: Final = "code"


def router(context: ApiContext) -> Routes:
    routes = Routes(include_in_schema=False)
    code, keyring, hours = context.setup_code, context.keyring, context.settings.api.session_hours
    attempts = Attempts(
        lambda address, count: keyring.book.note(
            context.now(), "unknown", "log_in_failed", "setup", f"{count} times, {address}"
        )
    )

    @routes.get("/setup/door")
    def door() -> Response:
        """Whether a code can still be entered: the page then asks for it, else for a key."""
        told = {"code": code is not None and code.is_open(context.now())}
        return JSONResponse(told, headers={"cache-control": "no-store"})

    @routes.post("/setup/enter")
    async def enter(request: Request) -> Response:
        refuse_foreign(request)
        address, now = address_of(request), context.now()
        said = form_fields(await request.body()).get("code", "")
        if code is not None and code.is_open(now):
            attempts.may(address)
        if code is None or not code.take(said, now):
            if code is not None and code.is_open(now):
                await attempts.failed(address, now)
            if "text/html" in request.headers.get("accept", ""):
                return RedirectResponse("/setup?wrong=1", 303)
            raise HTTPException(401, "this code is wrong, used or over; restart yizhan for a new one")
        key, until = _key(keyring, now, hours), now + hours * HOUR_MS
        session = start_session(keyring, request, key, BY_CODE, now, until)
        keyring.book.note(now, SETUP_KEY, "logged_in", "one-time code", address)
        return home_with(session, hours, secure=request.url.scheme == "https", home="/setup")

    return routes


def _key(keyring: Keyring, now: Millis, hours: int) -> Key:
    try:
        token = keyring.create(SETUP_KEY, "admin", now, expires_at=now + hours * HOUR_MS)
    except OSError as error:
        log.error("no session can be opened: %s", error)
        raise HTTPException(503, "the folder of the store can't be written at the moment") from error
    key = keyring.check(token, now)
    if key is None:
        raise HTTPException(503, "the key that was just made is not there")
    return key


def wants_code(keyring: Keyring, now: Millis) -> bool:
    """Whether nobody administers this house yet: no administrator's key is good, but for those that a code made, and no
    person of the configuration is one."""
    good = (key for key in keyring.staff() if key.expires_at is None or key.expires_at > now)
    of_people = (key for key in good if key.name != SETUP_KEY or key.expires_at is None)
    return not any(key.role == "admin" and key.everywhere for key in of_people)
