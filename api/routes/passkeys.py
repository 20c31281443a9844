"""Passkeys: made at `/account/passkeys`, logged in by at `/login/passkey`. Only scripts of our pages ask for these."""

import logging
from typing import Annotated, Any

from fastapi import Body, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from api.attempts import address_of
from api.auth import AccessGate, Keyring, refuse_foreign
from api.context import ApiContext
from api.key import Key
from api.late_routes import Routes
from api.log_in import HOUR_MS, note_log_in, set_session, start_session
from api.passkeys.book import KEPT_OF_ONE, Passkey, PasskeyFileError, TooManyPasskeysError
from api.passkeys.ceremony import (
    COOKIE,
    LIFE_S,
    Challenge,
    PasskeyRefusedError,
    RelyingParty,
    challenge_in,
    log_in_options,
    made_by,
    making_options,
    new_challenge,
    used_by,
)
from api.routes.setup_door import SETUP_KEY
from api.user_agents import device_of
from gateway.policy.text import LONGEST_NAME, bounded, one_line

log = logging.getLogger(__name__)

BY_PASSKEY = "passkey"
Credential = Annotated[dict[str, Any], Body(embed=True)]


def router(context: ApiContext) -> Routes:
    routes = Routes(include_in_schema=False)
    _making(routes, PasskeyDesk(context))
    _logging_in(routes, PasskeyDesk(context))
    return routes


class PasskeyDesk:
    """Both ceremonies over the book. Blocking, for worker threads."""

    def __init__(self, context: ApiContext) -> None:
        self.context = context

    def party(self, request: Request) -> RelyingParty:
        """409 where there can be no passkeys."""
        party = party_of(self.context, request)
        if party.obstacle() is not None:
            raise HTTPException(409, "passkeys need https and a name, or localhost; see docs/people.md")
        return party

    def owner(self, request: Request) -> Key:
        """Somebody who may have passkeys: logged in, and as one person."""
        gate = AccessGate(self.context.keyring, self.context.now)
        key = gate.needs("viewer")(request)
        if gate.session_of(request) is None:
            raise HTTPException(403, "a passkey is made by a person who is logged in, not by a key in a header")
        if not may_have(self.context.keyring, key):
            raise HTTPException(403, "a passkey is for one person: not for a group, and not for the one-time code")
        return key

    def of(self, key: Key) -> list[Passkey]:
        """The passkeys of this key."""
        return [passkey for passkey in self.context.keyring.passkeys.all() if passkey.key == key.id]

    def make(self, request: Request, key: Key, credential: dict[str, Any], name: str) -> Passkey:
        """409 for one that can't be kept, 422 for one that is not believed."""
        now, keyring = self.context.now(), self.context.keyring
        try:
            challenge = challenge_in(request.cookies.get(COOKIE, ""), keyring.sessions, "make", now)
            made, public_key, count = made_by(self.party(request), key, credential, challenge)
            called = one_line(bounded(name, LONGEST_NAME)) or device_of(request.headers.get("user-agent", ""))
            passkey = keyring.passkeys.add(key.id, called, made, public_key, count, now, key.sha256)
        except PasskeyRefusedError as error:
            log.warning("a passkey of %s was not made: %s", key.name, error)
            raise HTTPException(422, f"the passkey was not made: {error}") from error
        except TooManyPasskeysError as error:
            raise HTTPException(409, f"{error} (at most {KEPT_OF_ONE})") from error
        keyring.book.note(now, key.name, "passkey_added", passkey.id, f"{called}, {address_of(request)}")
        return passkey

    def log_in(self, request: Request, credential: dict[str, Any]) -> tuple[Key, str]:
        """(the key that logged in, the cookie of its session). PasskeyRefusedError."""
        now, keyring = self.context.now(), self.context.keyring
        challenge = challenge_in(request.cookies.get(COOKIE, ""), keyring.sessions, "log_in", now)
        passkey = keyring.passkeys.by_credential(str(credential.get("id")))
        key = None if passkey is None else keyring.good(passkey.key, now)
        if passkey is None or key is None or passkey.owner not in ("", key.sha256) or not may_have(keyring, key):
            raise PasskeyRefusedError("nobody here has this passkey, or no longer")
        count = used_by(self.party(request), key, passkey, credential, challenge)
        if not keyring.passkeys.use(passkey.id, count, challenge.at, now):
            raise PasskeyRefusedError("this answer was given before")
        hours = self.context.settings.api.session_hours
        session = start_session(keyring, request, key, BY_PASSKEY, now, now + hours * HOUR_MS)
        note_log_in(keyring, request, key, f"{BY_PASSKEY} {passkey.name}", now)
        return key, session


def party_of(context: ApiContext, request: Request) -> RelyingParty:
    """Passkeys are of the host of `api.public_url`, without it of the one that is asked."""
    return RelyingParty.at(context.settings.api.public_url or str(request.base_url))


def can_log_in(context: ApiContext, request: Request) -> bool:
    """Whether somebody may come in by a passkey at the address that is asked."""
    party = party_of(context, request)
    if party.obstacle() is not None or request.url.hostname != party.id:
        return False
    try:
        return bool(context.keyring.passkeys.all())
    except PasskeyFileError:
        return False


def may_have(keyring: Keyring, key: Key) -> bool:
    """Whether a passkey may be of this key: it stands for one person who stays."""
    return key.at_least("viewer") and key.name != SETUP_KEY and keyring.is_one_person(key)


def _making(routes: Routes, desk: PasskeyDesk) -> None:
    @routes.post("/account/passkeys/options")
    def options(request: Request) -> Response:
        key, party, context = desk.owner(request), desk.party(request), desk.context
        challenge = new_challenge("make", context.now(), key.id)
        told = making_options(party, key, desk.of(key), challenge)
        return _asking(told, challenge, context, request, "/account")

    @routes.post("/account/passkeys")
    def make(
        request: Request, credential: Credential, name: Annotated[str, Body(embed=True, max_length=200)] = ""
    ) -> Response:
        made = desk.make(request, desk.owner(request), credential, name)
        return JSONResponse({"id": made.id, "name": made.name}, 201, {"cache-control": "no-store"})


def _logging_in(routes: Routes, desk: PasskeyDesk) -> None:
    context = desk.context

    @routes.post("/login/passkey/options")
    def options(request: Request) -> Response:
        refuse_foreign(request)
        party, challenge = desk.party(request), new_challenge("log_in", context.now())
        return _asking(log_in_options(party, challenge), challenge, context, request, "/login")

    @routes.post("/login/passkey")
    async def log_in(request: Request, credential: Credential) -> Response:
        refuse_foreign(request)
        context.attempts.may(address_of(request))
        try:
            key, session = await run_in_threadpool(desk.log_in, request, credential)
        except PasskeyRefusedError as error:
            log.warning("log-in by passkey: %s", error)
            await context.attempts.failed(address_of(request), context.now())
            raise HTTPException(401, f"not logged in: {error}") from error
        hours, secure = context.settings.api.session_hours, request.url.scheme == "https"
        answer = JSONResponse({"name": key.name}, headers={"cache-control": "no-store"})
        set_session(answer, session, hours, secure=secure)
        answer.delete_cookie(COOKIE, "/login", httponly=True, samesite="strict")
        return answer


def _asking(told: dict[str, Any], challenge: Challenge, context: ApiContext, request: Request, path: str) -> Response:
    try:
        cookie = challenge.sealed(context.keyring.sessions)
    except OSError as error:
        raise HTTPException(503, "the folder of the store can't be read at the moment") from error
    answer, secure = JSONResponse(told, headers={"cache-control": "no-store"}), request.url.scheme == "https"
    answer.set_cookie(COOKIE, cookie, LIFE_S, path=path, httponly=True, samesite="strict", secure=secure)
    return answer
