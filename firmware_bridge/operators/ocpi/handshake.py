"""How we and an operator agree: his versions, the endpoints of 2.2.1, his credentials for ours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from config.files import UnusableFileError, read_secret
from config.schema.bridge import BusSettings
from firmware_bridge.operators.ocpi.line import OcpiLine
from firmware_bridge.operators.ocpi.registration import OcpiRegistration, RegistrationFile, hashed, new_token
from firmware_bridge.operators.web import UNREADABLE, AskError
from gateway.model import Millis

VERSION: Final = "2.2.1"
TOKEN_MOST: Final = 64
ROLE: Final = "NSP"


class _Version(Struct):
    version: str
    url: str


class _Endpoint(Struct):
    identifier: str
    url: str
    role: str = "SENDER"


class _Details(Struct):
    endpoints: list[_Endpoint]


class CredentialsTold(Struct):
    """What an operator tells of himself; his roles are of no use here."""

    token: str
    url: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where he takes credentials and gives locations."""

    credentials: str | None
    locations: str


@dataclass(frozen=True, slots=True)
class OcpiParty:
    """Who we are to an operator. `root` is our address before `/versions`; None where he can't reach us."""

    bus: BusSettings
    root: Callable[[], str | None]

    def invitation(self) -> str:
        """The token in `token_file`. AskError where there is none."""
        try:
            assert self.bus.token_file is not None
            return read_secret(self.bus.token_file, f"bridge.buses.{self.bus.id}.token_file").strip()
        except UnusableFileError as error:
            raise AskError(str(error)) from None

    def credentials(self, token: str, root: str) -> dict[str, Any]:
        role = {
            "role": ROLE,
            "party_id": self.bus.party_id,
            "country_code": self.bus.country_code,
            "business_details": {"name": "yizhan"},
        }
        return {"token": token, "url": f"{root}/versions", "roles": [role]}

    def told(self, root: str) -> str:
        """What an operator knows of us: another one must be told him."""
        return f"{root} {self.bus.country_code} {self.bus.party_id}"


def credentials_in(data: bytes) -> CredentialsTold | None:
    """None where it is none that can be used."""
    try:
        told = msgspec.json.decode(data, type=CredentialsTold)
    except UNREADABLE:
        return None
    sound = 0 < len(told.token) <= TOKEN_MOST and told.token.isascii() and told.token.isprintable()
    return told if sound else None


def endpoints_of(line: OcpiLine, versions_url: str, token: str) -> Endpoints:
    """AskError where he speaks no 2.2.1, or has no locations."""
    versions = _decoded(line.ask("GET", versions_url, token).data, list[_Version], "list of versions")
    details = next((version.url for version in versions if version.version == VERSION), None)
    if details is None:
        raise AskError(f"the operator speaks no OCPI {VERSION}")
    endpoints = _decoded(line.ask("GET", details, token).data, _Details, "list of endpoints").endpoints
    locations = next(
        (endpoint.url for endpoint in endpoints if (endpoint.identifier, endpoint.role) == ("locations", "SENDER")),
        None,
    )
    if locations is None:
        raise AskError("the operator gives no locations")
    credentials = [endpoint for endpoint in endpoints if endpoint.identifier == "credentials"]
    chosen = next((endpoint.url for endpoint in credentials if endpoint.role == "RECEIVER"), None)
    return Endpoints(chosen or next((endpoint.url for endpoint in credentials), None), locations.rstrip("/"))


class OcpiHandshake:
    """`token` gives what to ask with, and agrees first where nothing is agreed. AskError from all of it."""

    def __init__(self, versions_url: str, us: OcpiParty, line: OcpiLine, file: RegistrationFile) -> None:
        self._versions_url, self._us, self._line, self._file = versions_url, us, line, file

    def token(self, now: Callable[[], Millis]) -> str:
        invitation, root, known = self._us.invitation(), self._us.root(), self._file.get()
        if root is None:
            return invitation  # nothing can be agreed with who can't reach us: it is used as it is
        if known is None or known.invited != hashed(invitation):
            return self._agree("POST", invitation, root, OcpiRegistration(hashed(invitation), "", now()), now)
        if known.ended:
            raise AskError("the operator has ended the registration: ask him for a new token for token_file")
        if known.theirs is None:
            return self._agree("POST", invitation, root, known, now)
        if known.us != self._us.told(root):
            return self._agree("PUT", known.theirs, root, known, now)
        return known.theirs

    def anew(self, refusal: AskError, now: Callable[[], Millis]) -> str:
        """He refuses the token that was agreed: agree again, if the one in `token_file` is still good."""
        known, root = self._file.get(), self._us.root()
        if root is None or known is None or known.theirs is None or known.ended:
            raise refusal
        try:
            return self._agree("POST", self._us.invitation(), root, known, now)
        except AskError as error:
            raise AskError(f"{refusal}; registering again: {error}: ask him for a new token for token_file") from None

    def _agree(self, method: str, token: str, root: str, before: OcpiRegistration, now: Callable[[], Millis]) -> str:
        endpoints = endpoints_of(self._line, self._versions_url, token)
        if endpoints.credentials is None:
            raise AskError("the operator has no endpoint for credentials")
        ours = new_token()
        self._keep(msgspec.structs.replace(before, other=ours))  # he may call us with it before he answers
        try:
            answer = self._line.ask(method, endpoints.credentials, token, self._us.credentials(ours, root))
        except AskError as error:
            if error.status == 405:
                raise AskError(
                    "the operator says that we are registered already: ask him for a new token for token_file"
                ) from None
            raise
        told = credentials_in(answer.data)
        if told is None:
            raise AskError("the operator gave no credentials that can be used")
        self._keep(OcpiRegistration(before.invited, self._us.told(root), now(), ours, told.token))
        return told.token

    def _keep(self, registration: OcpiRegistration) -> None:
        try:
            self._file.keep(registration)
        except OSError as error:
            raise AskError(f"the registration can't be kept: {error.strerror}") from None


def _decoded(data: bytes, form: Any, what: str) -> Any:
    try:
        return msgspec.json.decode(data, type=form)
    except UNREADABLE:
        raise AskError(f"the operator gives no {what}") from None
