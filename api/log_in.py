"""What every way in ends with: a session in the book, a line in the audit trail, a cookie."""

import logging

from fastapi import HTTPException, Request, Response
from starlette.responses import RedirectResponse

from api.attempts import address_of
from api.auth import COOKIE, Key, Keyring
from api.sessions import LogIn
from api.user_agents import device_of
from gateway.model import Millis

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
BY_KEY = "key"


def start_session(keyring: Keyring, request: Request, key: Key, how: str, now: Millis, until: Millis) -> str:
    """The cookie of a new session of `key`, which came in by `how`. 503 where the store's folder takes nothing."""
    log_in = LogIn(key.name, how, device_of(request.headers.get("user-agent", "")))
    try:
        return keyring.open_session(key, log_in, now, until)
    except OSError as error:
        log.error("no session can be opened: %s", error)
        raise HTTPException(503, "the folder of the store can't be written at the moment") from error


def note_log_in(keyring: Keyring, request: Request, key: Key, how: str, now: Millis) -> None:
    """One line: who came in, from where, and how, where it was not by a key."""
    address = address_of(request)
    keyring.book.note(now, key.name, "logged_in", key.id, address if how == BY_KEY else f"{how}, {address}")


def home_with(session: str, hours: int, *, secure: bool, home: str = "/") -> Response:
    """On to the first page, with the session's cookie."""
    answer = RedirectResponse(home, 303)
    set_session(answer, session, hours, secure=secure)
    return answer


def set_session(answer: Response, session: str, hours: int, *, secure: bool) -> None:
    """The session's cookie, which no script reads and no other site's page sends."""
    answer.set_cookie(COOKIE, session, hours * 3600, httponly=True, samesite="strict", secure=secure)
