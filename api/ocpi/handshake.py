"""The credentials of a partner, and its own side of the handshake: its versions and endpoints, asked for by HTTP."""

import base64
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from api.ocpi.envelope import CLIENT_UNREACHABLE, NO_ENDPOINTS, VERSION_UNSUPPORTED
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.http import Target, exchange

VERSION: Final = "2.2.1"
BODY_MOST: Final = 16_384
TOKEN_MOST: Final = 64


class OcpiRole(msgspec.Struct):
    role: str
    party_id: str
    country_code: str


class Credentials(msgspec.Struct):
    """What a partner tells of itself."""

    token: str
    url: str
    roles: list[OcpiRole]


class HandshakeError(Exception):
    """`status` of OCPI, and why, for the partner's technician."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class PartnerLine:
    """How a partner is reached: the token that it gave us, and whether it may be in a private network."""

    token: str
    allow_private: bool

    def headers(self) -> dict[str, str]:
        return {"Authorization": "Token " + base64.b64encode(self.token.encode()).decode()}

    def get(self, url: str, now: Millis) -> Any:
        """The `data` of an answer. HandshakeError where there is none."""
        try:
            answer = exchange(Target(url, 10, self.allow_private), "GET", None, now, self.headers())
            answer.check()
        except SendError as error:
            raise HandshakeError(CLIENT_UNREACHABLE, str(error)) from None
        data = answer.json().get("data")
        if data is None:
            raise HandshakeError(CLIENT_UNREACHABLE, f"{answer.host} gave no OCPI answer")
        return data


def credentials_in(body: bytes) -> Credentials:
    """ValueError says what is wrong with them."""
    if len(body) > BODY_MOST:
        raise ValueError(f"more than {BODY_MOST} bytes are no credentials")
    told = msgspec.json.decode(body, type=Credentials)
    if not 0 < len(told.token) <= TOKEN_MOST or not told.token.isascii() or not told.token.isprintable():
        raise ValueError(f"token: 1 to {TOKEN_MOST} printable ASCII characters")
    return told


def receiver_of(credentials: Credentials, line: PartnerLine, now: Millis) -> str | None:
    """Where the partner takes our locations; None where it only pulls. HandshakeError where it is no 2.2.1."""
    versions = line.get(credentials.url, now)
    details = next((version.get("url") for version in _dicts(versions) if version.get("version") == VERSION), None)
    if not isinstance(details, str):
        raise HandshakeError(VERSION_UNSUPPORTED, f"offers no version {VERSION}")
    told = line.get(details, now)
    endpoints = told.get("endpoints") if isinstance(told, dict) else None
    if not isinstance(endpoints, list):
        raise HandshakeError(NO_ENDPOINTS, "has no list of endpoints")
    for endpoint in _dicts(endpoints):
        url = endpoint.get("url")
        if (endpoint.get("identifier"), endpoint.get("role")) == ("locations", "RECEIVER") and isinstance(url, str):
            return url.rstrip("/")
    return None


def _dicts(listed: object) -> list[dict[str, Any]]:
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
