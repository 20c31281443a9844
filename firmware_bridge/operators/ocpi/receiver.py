"""What an operator says to us by OCPI: who we are, his credentials, his locations as they change."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from firmware_bridge.operators.bus import OperatorTold, Pushed
from firmware_bridge.operators.listener import PushAnswer, PushRequest
from firmware_bridge.operators.ocpi.handshake import VERSION, OcpiParty, credentials_in
from firmware_bridge.operators.ocpi.registration import OcpiRegistration, RegistrationFile, new_token
from firmware_bridge.operators.ocpi.words import EvseTold, evses_of, time_of, word_of
from firmware_bridge.operators.web import UNREADABLE
from gateway.base.times import rfc3339
from gateway.model import Millis

UNKNOWN_TOKEN, UNUSABLE, NOT_ALLOWED, NOT_THERE, FAILED = 2001, 2001, 2000, 2003, 3000
PARTS: Final = ("country", "party", "location", "evse", "connector")


@dataclass(frozen=True, slots=True)
class OcpiReceiver:
    """`answer` is called on one thread; what is agreed goes through `file`."""

    us: OcpiParty
    file: RegistrationFile
    uids: frozenset[str]

    def answer(self, request: PushRequest, now: Millis) -> Pushed:
        registration = self.file.get()
        token = _token_in(request.authorization, registration)
        if registration is None or registration.ended or token is None:
            return _refused(401, UNKNOWN_TOKEN, "the token is unknown", now)
        self._settle(registration, token)
        match request.path:
            case ("versions",) if request.method == "GET":
                return _told([{"version": VERSION, "url": f"{self.us.root()}/{VERSION}"}], now)
            case (version,) if version == VERSION and request.method == "GET":
                return _told(self._details(), now)
            case (version, "credentials") if version == VERSION:
                return self._credentials(request, registration, now)
            case _ if parts := _place_of(request.path):
                return self._location(request, parts, now)
            case _:
                return _refused(404, NOT_THERE, "there is no such thing here", now)

    def _settle(self, registration: OcpiRegistration, token: str) -> None:
        """An operator who uses the newer of two tokens needs the older one no more."""
        if registration.theirs is not None and registration.other is not None and token == registration.ours:
            self._keep(msgspec.structs.replace(registration, other=None))

    def _details(self) -> dict[str, Any]:
        here = f"{self.us.root()}/{VERSION}"
        endpoints = [
            {"identifier": "credentials", "role": "RECEIVER", "url": f"{here}/credentials"},
            {"identifier": "locations", "role": "RECEIVER", "url": f"{here}/locations"},
        ]
        return {"version": VERSION, "endpoints": endpoints}

    def _credentials(self, request: PushRequest, registration: OcpiRegistration, now: Millis) -> Pushed:
        root = self.us.root()
        if registration.theirs is None or registration.ours is None or root is None:
            return _refused(405, NOT_ALLOWED, "we register with you: not the other way round", now)
        match request.method:
            case "GET":
                return _told(self.us.credentials(registration.ours, root), now)
            case "PUT":
                told, ours = credentials_in(request.body), new_token()
                if told is None:
                    return _refused(400, UNUSABLE, "no credentials: token and url", now)
                kept = msgspec.structs.replace(registration, theirs=told.token, ours=ours, other=registration.ours)
                if not self._keep(kept):
                    return _refused(500, FAILED, "it can't be kept just now", now)
                return _told(self.us.credentials(ours, root), now)
            case "DELETE":
                ended = OcpiRegistration(registration.invited, "", now, ended=True)
                return _told(None, now) if self._keep(ended) else _refused(500, FAILED, "not kept", now)
            case _:
                return _refused(405, NOT_ALLOWED, "you are registered: PUT changes it", now)

    def _location(self, request: PushRequest, parts: Mapping[str, str], now: Millis) -> Pushed:
        if request.method not in ("PUT", "PATCH"):
            return _refused(404 if request.method == "GET" else 405, NOT_THERE, "locations are not kept here", now)
        try:
            told = self._read(request.body, parts.get("evse"), "connector" in parts)
        except UNREADABLE:
            return _refused(400, UNUSABLE, "no JSON as OCPI has it", now)
        failed = _answer(500, FAILED, None, "it can't be kept just now", now)
        return Pushed(_answer(200, 1000, None, "Success", now), failed, told)

    def _read(self, body: bytes, uid: str | None, of_connector: bool) -> OperatorTold:
        if uid is None:
            evses = [(evse.uid, evse) for evse in evses_of(body)]
        else:
            evses = [(uid, msgspec.json.decode(body, type=EvseTold))]
        words, renewed = [], []
        for name, evse in evses:
            if name is None or name not in self.uids:
                continue
            word = None if of_connector else word_of(name, evse)
            if word is not None:
                words.append(word)
            else:
                renewed.append((name, time_of(evse.last_updated)))
        return OperatorTold(tuple(words), renewed=tuple(renewed))

    def _keep(self, registration: OcpiRegistration) -> bool:
        try:
            self.file.keep(registration)
        except OSError:
            return False
        return True


def _place_of(path: tuple[str, ...]) -> dict[str, str]:
    """What stands behind `locations`; {} where that is not it. Some hubs do not ask for our endpoints, but build an
    address of their own: {base}/receiver/locations/….
    """
    at = path.index("locations") if "locations" in path[:3] else len(path)
    parts = path[at + 1 :]
    known = {VERSION, "receiver"}.issuperset(path[:at]) and 3 <= len(parts) <= len(PARTS)
    return dict(zip(PARTS, parts, strict=False)) if known else {}


def _token_in(header: str | None, registration: OcpiRegistration | None) -> str | None:
    """The token of his that the header shows, in base64 or plain; None for any other."""
    scheme, _, shown = (header or "").partition(" ")
    shown = shown.strip()
    if registration is None or scheme.lower() != "token" or not 0 < len(shown) <= 512:
        return None
    offered = [shown]
    try:
        offered.append(base64.b64decode(shown, validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        pass
    return next((token for token in offered if registration.accepts(token)), None)


def _told(data: Any, now: Millis) -> Pushed:
    answer = _answer(200, 1000, data, "Success", now)
    return Pushed(answer, answer)


def _refused(http: int, status: int, why: str, now: Millis) -> Pushed:
    answer = _answer(http, status, None, why, now)
    return Pushed(answer, answer)


def _answer(http: int, status: int, data: Any, message: str, now: Millis) -> PushAnswer:
    told: dict[str, Any] = {"status_code": status, "status_message": message, "timestamp": rfc3339(now)}
    if data is not None:
        told["data"] = data
    return PushAnswer(http, msgspec.json.encode(told))
