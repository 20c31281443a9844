"""The two ceremonies of WebAuthn: making a passkey, and logging in by one. webauthn (py_webauthn) checks both.

It is an extra, so it is imported where it is needed. A challenge is good once and for five minutes: it travels in a
signed cookie, and a passkey remembers when the challenge of its last log-in was made.
"""

import hashlib
import ipaddress
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from api.key import Key
from api.passkeys.book import Passkey
from api.sealing import seal, unseal
from api.sessions import Sessions
from config.staff_checks import is_safe_origin
from gateway.model import Millis

COOKIE: Final = "yizhan_passkey"
LIFE_S: Final = 300
Purpose = Literal["make", "log_in"]
Obstacle = Literal["missing", "address", "insecure"]


class PasskeyRefusedError(Exception):
    """It is not believed; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """`of`: the id of the key that makes a passkey by it; empty at a log-in."""

    purpose: Purpose
    text: str
    at: Millis
    of: str = ""

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self.text)

    def sealed(self, sessions: Sessions) -> str:
        """The cookie's value. OSError where there is no key to sign with."""
        return seal(sessions, "passkey", {"purpose": self.purpose, "text": self.text, "at": self.at, "of": self.of})


def new_challenge(purpose: Purpose, now: Millis, of: str = "") -> Challenge:
    return Challenge(purpose, secrets.token_hex(32), now, of)


def challenge_in(cookie: str, sessions: Sessions, purpose: Purpose, now: Millis) -> Challenge:
    """PasskeyRefusedError for one that is not ours, not for this, or over."""
    told = unseal(sessions, "passkey", cookie)
    if told is None or told["purpose"] != purpose or not 0 <= now - told["at"] < LIFE_S * 1000:
        raise PasskeyRefusedError("it took too long; try again")
    return Challenge(**told)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are to browsers: `id` is the host of `origin`, and passkeys are of that host alone."""

    origin: str
    id: str

    @classmethod
    def at(cls, address: str) -> "RelyingParty":
        parts = urlsplit(address)
        return cls(f"{parts.scheme}://{parts.netloc}", parts.hostname or "")

    def obstacle(self) -> Obstacle | None:
        """Why there can't be passkeys here."""
        if find_spec("webauthn") is None:
            return "missing"
        try:
            ipaddress.ip_address(self.id)
        except ValueError:
            return None if is_safe_origin(self.origin) else "insecure"
        return "address"


def making_options(party: RelyingParty, key: Key, there: Sequence[Passkey], challenge: Challenge) -> dict[str, Any]:
    """What the browser makes one by that it finds by itself later; of an admin one that looks who it is."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=party.id, rp_name="驿站", user_name=key.name, user_id=handle_of(key.id), challenge=challenge.raw,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement("required" if key.at_least("admin") else "preferred"),
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential)) for passkey in there
        ],
    )  # fmt: skip
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told


def log_in_options(party: RelyingParty, challenge: Challenge) -> dict[str, Any]:
    """Without names: the browser shows which it has, and a stranger learns of none."""
    from webauthn import generate_authentication_options, options_to_json

    told: dict[str, Any] = json.loads(
        options_to_json(generate_authentication_options(rp_id=party.id, challenge=challenge.raw))
    )
    return told


def made_by(party: RelyingParty, key: Key, credential: Mapping[str, Any], challenge: Challenge) -> tuple[str, str, int]:
    """(credential id, public key, sign count) of a new passkey. PasskeyRefusedError."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    if challenge.of != key.id:
        raise PasskeyRefusedError("somebody else asked for it")
    try:
        made = verify_registration_response(
            credential=dict(credential), expected_challenge=challenge.raw, expected_rp_id=party.id,
            expected_origin=party.origin, require_user_verification=key.at_least("admin"),
        )  # fmt: skip
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PasskeyRefusedError(_told(error)) from None
    return bytes_to_base64url(made.credential_id), bytes_to_base64url(made.credential_public_key), made.sign_count


def used_by(
    party: RelyingParty, key: Key, passkey: Passkey, credential: Mapping[str, Any], challenge: Challenge
) -> int:
    """The sign count of a right log-in by `passkey`, which is of `key`. PasskeyRefusedError."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        handle = credential["response"].get("userHandle")
        if handle is not None and handle != bytes_to_base64url(handle_of(key.id)):
            raise PasskeyRefusedError("it is somebody else's")
        used = verify_authentication_response(
            credential=dict(credential), expected_challenge=challenge.raw, expected_rp_id=party.id,
            expected_origin=party.origin, credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count, require_user_verification=key.at_least("admin"),
        )  # fmt: skip
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PasskeyRefusedError(_told(error)) from None
    return used.new_sign_count


def handle_of(key_id: str) -> bytes:
    """What an authenticator calls the owner: nothing can be read off it."""
    return hashlib.sha256(f"passkey {key_id}".encode()).digest()


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
