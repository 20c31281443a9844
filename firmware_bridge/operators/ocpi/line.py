"""One question by OCPI: the token before it, the envelope around its answer."""

import base64
from typing import Any

import msgspec
from msgspec import Raw, Struct

from firmware_bridge.operators.web import UNREADABLE, AskError, Web

JSON = {"Content-Type": "application/json"}
REFUSED = (401, 403)
NOTHING = Raw(b"null")


class Envelope(Struct):
    status_code: int
    data: Raw = NOTHING


class OcpiAnswer(Struct):
    """`data` is still to be decoded; `next_url` and `total` are of a list."""

    data: bytes
    next_url: str | None = None
    total: int | None = None
    size: int = 0


def header_of(token: str) -> dict[str, str]:
    return {"Authorization": "Token " + base64.b64encode(token.encode()).decode()}


class OcpiLine:
    """To one operator. AskError from all of it; its text quotes nothing that he says."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def ask(self, method: str, url: str, token: str, body: Any = None) -> OcpiAnswer:
        sent = None if body is None else msgspec.json.encode(body)
        headers = header_of(token) | (JSON if sent is not None else {})
        answer = self._web.ask(method, url, headers, sent)
        try:
            envelope = msgspec.json.decode(answer.body, type=Envelope)
        except UNREADABLE:
            raise AskError(f"{self._web.host}: no answer of OCPI") from None
        if not 1000 <= envelope.status_code < 2000:
            status = 401 if envelope.status_code in (2001, 2002) else None
            raise AskError(f"{self._web.host}: OCPI status {envelope.status_code}", status)
        total = answer.headers.get("x-total-count", "")
        return OcpiAnswer(
            bytes(envelope.data),
            next_link(answer.headers.get("link", "")),
            int(total) if total.isascii() and total.isdigit() and len(total) <= 9 else None,
            len(answer.body),
        )


def next_link(header: str) -> str | None:
    """The address that `rel="next"` stands beside (RFC 8288)."""
    for part in header[:4_096].split(","):
        address, _, parameters = part.strip().partition(">")
        names = {parameter.strip().replace('"', "").replace(" ", "").lower() for parameter in parameters.split(";")}
        if address.startswith("<") and "rel=next" in names:
            return address[1:]
    return None
