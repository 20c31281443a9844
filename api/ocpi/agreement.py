"""What we and a partner agree on: its credentials for ours. Blocking: it asks the partner back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from api.access_book import AccessBook
from api.ocpi.envelope import FAILED, UNUSABLE_BODY, wrapped
from api.ocpi.handshake import HandshakeError, PartnerLine, credentials_in, receiver_of
from api.ocpi.partners import Asker, PartnerBook, partner_name
from config.schema import Ocpi
from gateway.model import Millis

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are to a partner; `root` is our address before `/versions`."""

    ocpi: Ocpi
    root: str

    def credentials(self, token: str) -> dict[str, Any]:
        role = {
            "role": "CPO",
            "party_id": self.ocpi.party_id,
            "country_code": self.ocpi.country_code,
            "business_details": {"name": self.ocpi.name},
        }
        return {"token": token, "url": f"{self.root}/versions", "roles": [role]}


class Agreement:
    """The registration of a partner: `make`, `show` and `end` it."""

    def __init__(self, partners: PartnerBook, now: Callable[[], Millis], book: AccessBook) -> None:
        self._partners, self._now, self._book = partners, now, book

    def show(self, asker: Asker, us: Us) -> Response:
        if asker.registration is None:
            return self._refused("is not registered yet: POST first")
        return wrapped(us.credentials(asker.registration.ours), self._now())

    def make(self, asker: Asker, us: Us, body: bytes, *, anew: bool = False) -> Response:
        """Take the partner's credentials and give ours; `anew` where it has ours already."""
        if (asker.registration is None) is anew:
            return self._refused("is not registered yet: POST first" if anew else "is registered: PUT changes it")
        try:
            told = credentials_in(body)
            receiver = receiver_of(told, PartnerLine(told.token, asker.partner.allow_private), self._now())
            token = self._partners.register(asker.partner, told.token, told.url, receiver, self._now())
        except HandshakeError as error:
            log.warning("OCPI partner %s could not register: %s", asker.partner.id, error)
            return wrapped(None, self._now(), status=error.status, message=str(error))
        except ValueError as error:
            return wrapped(None, self._now(), http=400, status=UNUSABLE_BODY, message=str(error)[:300])
        except OSError as error:
            return self._not_kept(error)
        log.info("OCPI partner %s has registered; it %s", asker.partner.id, "is told" if receiver else "only asks")
        self._note(asker, "partner_changed" if anew else "partner_registered", urlsplit(told.url).hostname)
        return wrapped(us.credentials(token), self._now())

    def end(self, asker: Asker) -> Response:
        if asker.registration is None:
            return self._refused("is not registered")
        try:
            self._partners.forget(asker.partner)
        except OSError as error:
            return self._not_kept(error)
        log.info("OCPI partner %s has left", asker.partner.id)
        self._note(asker, "partner_left")
        return wrapped(None, self._now())

    def _note(self, asker: Asker, what: str, detail: str | None = None) -> None:
        """Write it into the audit trail."""
        self._book.note(self._now(), partner_name(asker.partner.id), what, asker.partner.id, detail)

    def _refused(self, why: str) -> Response:
        return wrapped(None, self._now(), http=405, status=2000, message=why)

    def _not_kept(self, error: OSError) -> Response:
        log.error("OCPI partners can't be kept: %s", error)
        return wrapped(None, self._now(), http=503, status=FAILED, message="could not be kept; try again")
