"""May this caller speak, and for which pile? Judged once, from the request line and headers. Pure.

Security profiles of OCPP: 0 nothing, 1 password, 2 password over TLS, 3 client certificate. A refusal says what a
technician at the pile can do; it goes into the answer and into our log.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from gateway.wire import NAME

LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a caller's handshake says. `certificate`: the verified one of its TLS, as `getpeercert` gives it."""

    path: str
    authorization: str | None
    subprotocols: Sequence[str]
    secure: bool
    certificate: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """`name`: the charge point where it is known, else what stood in the path, shortened."""

    status: HTTPStatus
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Admitted:
    charge_point: str
    subprotocol: str
    profile: int
    authorization: str | None = field(default=None, repr=False, compare=False)
    """Its Basic header, for its operator."""


@dataclass(frozen=True, slots=True)
class DoorRules:
    """`base`: the path below which piles dial. `passwords`: for each pile that has one, how to read it. `certificates`:
    only client certificates open (profile 3). `loopback`: the address listened on is this machine's alone."""

    base: str
    charge_points: frozenset[str]
    passwords: Mapping[str, Callable[[], str]]
    subprotocols: Sequence[str]
    certificates: bool = False
    may_be_unauthenticated: bool = False


def judge(asked: Greeting, rules: DoorRules) -> Admitted | Refusal:
    """Who it is, or why not."""
    name = _name_in(asked.path, rules.base)
    if name is None:
        return Refusal(
            HTTPStatus.NOT_FOUND, asked.path[:LONGEST_SHOWN], f"piles dial {rules.base}/ and their charge point's name"
        )
    if name not in rules.charge_points:
        return Refusal(
            HTTPStatus.NOT_FOUND, name, f"charge point {name} is not configured: add it under devices: of its bus"
        )
    subprotocol = next((ours for ours in rules.subprotocols if ours in asked.subprotocols), None)
    if subprotocol is None:
        offered = ", ".join(asked.subprotocols)[:LONGEST_SHOWN] or "none"
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            name,
            f"it offers the subprotocol {offered}; set the pile to OCPP-J: {', '.join(rules.subprotocols)}",
        )
    profile = _profile(name, asked, rules)
    return profile if isinstance(profile, Refusal) else Admitted(name, subprotocol, profile, asked.authorization)


def _name_in(path: str, base: str) -> str | None:
    before, _, last = path.partition("?")[0].rpartition("/")
    name = unquote(last)
    return name if before.rstrip("/") == base and NAME.match(name) else None


def _profile(name: str, asked: Greeting, rules: DoorRules) -> int | Refusal:
    """The security profile that it has proved."""
    if rules.certificates:
        names = _certified(asked.certificate)
        if name in names:
            return 3
        told = ", ".join(sorted(names))[:LONGEST_SHOWN] or "nobody"
        return Refusal(
            HTTPStatus.UNAUTHORIZED, name, f"its certificate is that of {told}: its common name must be {name}"
        )
    read = rules.passwords.get(name)
    if read is not None:
        return _by_password(name, asked, read)
    if rules.may_be_unauthenticated:
        return 0
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        name,
        "it has no password_file, and off loopback none may enter without: add one, or allow_unauthenticated: true",
    )


def _by_password(name: str, asked: Greeting, read: Callable[[], str]) -> int | Refusal:
    try:
        password = read()
    except ValueError as error:
        return Refusal(HTTPStatus.UNAUTHORIZED, name, str(error))
    user, given = _basic(asked.authorization)
    if user is None:
        return Refusal(HTTPStatus.UNAUTHORIZED, name, "it sends no password: set security profile 1 or 2 at the pile")
    if user != name:
        return Refusal(HTTPStatus.UNAUTHORIZED, name, "its user name is not its charge point's name")
    if not any(hmac.compare_digest(given, form) for form in _forms(password)):
        return Refusal(HTTPStatus.UNAUTHORIZED, name, "its password is not that of its password_file")
    return 2 if asked.secure else 1


def _basic(header: str | None) -> tuple[str | None, bytes]:
    """User and password of a Basic header; (None, nothing) without one."""
    scheme, _, rest = (header or "").partition(" ")
    try:
        user, colon, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None, b""
    if scheme.lower() != "basic" or not colon:
        return None, b""
    return user.decode("utf-8", "replace"), password


def _forms(password: str) -> list[bytes]:
    """As text, and where the file holds an AuthorizationKey in hex (1.6 security whitepaper), as its bytes."""
    forms = [password.encode()]
    try:
        forms.append(bytes.fromhex(password))
    except ValueError:
        pass
    return [form for form in forms if form]


def _certified(certificate: Mapping[str, Any] | None) -> set[str]:
    """The names that a verified certificate gives its owner."""
    if not certificate:
        return set()
    subject = (pair for part in certificate.get("subject", ()) for pair in part)
    names = {value for key, value in subject if key == "commonName"}
    return names | {value for key, value in certificate.get("subjectAltName", ()) if key == "DNS"}
