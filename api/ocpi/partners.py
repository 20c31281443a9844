"""Who may ask by OCPI: partners invited by a token in a file, and what those that registered told us.

What was agreed stands in one file of mode 0600, since both sides' tokens must be sent again. Another token in a
partner's file ends what was agreed with the old one.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from api.private_files import Stamp, locked, replace_private, stamp
from config.files import UnusableFileError, read_bytes, read_secret
from config.schema import Ocpi, OcpiPartner
from gateway.model import Millis

log = logging.getLogger(__name__)

FILE: Final = "ocpi_partners.json"
MOST_BYTES: Final = 1 << 20


class Registration(msgspec.Struct, frozen=True):
    """What was agreed with a partner. `invited` is a hash of the token that it registered with; `theirs` is sent to
    it, `ours` comes from it. `receiver` is where it takes locations, None where it does not."""

    invited: str
    theirs: str
    ours: str
    versions_url: str
    receiver: str | None
    at: Millis


@dataclass(frozen=True, slots=True)
class Asker:
    """A partner that has shown who it is; `registration` is None before it registers."""

    partner: OcpiPartner
    registration: Registration | None


def partner_name(partner: str) -> str:
    """The partner's name, as people are told of it."""
    return f"OCPI partner {partner}"


class PartnerBook:
    """Any thread may ask. Several processes may share the file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._read_at: Stamp | None = None
        self._known: dict[str, Registration] = {}

    def who(self, header: str | None, ocpi: Ocpi) -> Asker | None:
        """The partner whose token stands in `Authorization: Token …`: in base64 as OCPI 2.2.1 has it, or plain as many
        send it."""
        offered = _offered(header)
        if not offered:
            return None
        for partner, invited in _invitations(ocpi):
            registration = self.registration(partner, invited)
            right = registration.ours if registration is not None else invited
            if any(hmac.compare_digest(right.encode(), token) for token in offered):
                return Asker(partner, registration)
        return None

    def registered(self, ocpi: Ocpi) -> list[tuple[OcpiPartner, Registration]]:
        """The partners that are told of changes."""
        pairs = ((partner, self.registration(partner, invited)) for partner, invited in _invitations(ocpi))
        return [
            (partner, registration)
            for partner, registration in pairs
            if registration is not None and registration.receiver is not None
        ]

    def registration(self, partner: OcpiPartner, invited: str) -> Registration | None:
        """What was agreed with the partner under its present token."""
        registration = self._read().get(partner.id)
        return registration if registration is not None and registration.invited == _hashed(invited) else None

    def register(self, partner: OcpiPartner, theirs: str, versions_url: str, receiver: str | None, now: Millis) -> str:
        """Agree anew; the token that the partner shall send from now on. OSError where that can't be kept."""
        invited = _hashed(read_secret(partner.token_file, f"ocpi.partners.{partner.id}.token_file").strip())
        ours = secrets.token_urlsafe(32)
        self._change(partner.id, Registration(invited, theirs, ours, versions_url, receiver, now))
        return ours

    def forget(self, partner: OcpiPartner) -> None:
        """End what was agreed: the partner's first token is good again. OSError where that can't be kept."""
        self._change(partner.id, None)

    def _change(self, partner: str, registration: Registration | None) -> None:
        with locked(self._path.parent):
            known = dict(self._read())
            known.pop(partner, None)
            if registration is not None:
                known[partner] = registration
            replace_private(self._path, msgspec.json.encode(known))

    def _read(self) -> dict[str, Registration]:
        now = stamp(self._path)
        if now != self._read_at:
            known: dict[str, Registration] = {}
            if now is not None:
                try:
                    data = read_bytes(self._path, "ocpi", most=MOST_BYTES)
                    known = msgspec.json.decode(data, type=dict[str, Registration])
                except (UnusableFileError, msgspec.DecodeError) as error:
                    log.error("%s can't be read: %s; partners must register again", self._path, error)
            self._read_at, self._known = now, known
        return self._known


def _invitations(ocpi: Ocpi) -> list[tuple[OcpiPartner, str]]:
    """A file that can't be read invites nobody, and is told."""
    invitations = []
    for partner in ocpi.partners:
        try:
            invitations.append(
                (partner, read_secret(partner.token_file, f"ocpi.partners.{partner.id}.token_file").strip())
            )
        except UnusableFileError as error:
            log.error("%s", error)
    return [(partner, token) for partner, token in invitations if token]


def _offered(header: str | None) -> list[bytes]:
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "token" or not token or len(token) > 512 or not token.isascii():
        return []
    offered = [token.encode()]
    try:
        offered.append(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        pass
    return offered


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
