"""Who may report checks of a station: an operator's key, or who holds the link that hangs at the place."""

import hmac
import logging
from hashlib import sha256
from pathlib import Path

from fastapi import Request

from api.auth import AccessGate
from api.private_files import stamp
from api.problem import not_found
from config.files import read_secret
from config.schema import Settings, StationSettings

log = logging.getLogger(__name__)

TOKEN_MIN = 16  # characters; a shorter one could be guessed
BY_LINK = "link"


class CheckLinks:
    """The links of all stations. A new token in its file ends the old link at once; tokens are kept as digests."""

    def __init__(self, settings: Settings) -> None:
        self._files = [
            (station, station.checks_token_file)
            for station in settings.stations
            if station.checks_token_file is not None
        ]
        self._known: dict[Path, tuple[object, bytes | None]] = {}

    def find(self, token: str) -> StationSettings | None:
        """The station to which the link belongs; None where there is none."""
        digest = sha256(token.encode()).digest()
        told = [station for station, path in self._files if hmac.compare_digest(self._digest(station, path), digest)]
        return told[0] if token and told else None

    def _digest(self, station: StationSettings, path: Path) -> bytes:
        seen = stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != seen:
            known = self._known[path] = seen, _read(path, f"stations.{station.id}.checks_token_file")
        return known[1] or b""

    def who(self, request: Request, station: str, gate: AccessGate, settings: Settings) -> str:
        """Under whose name a report of this station goes. 401, 403 or 404 where nobody may make it."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        link = self.find(token.strip()) if scheme.lower() == "bearer" else None
        if link is not None and link.id == station:
            return BY_LINK
        key = gate.needs("operator")(request)
        known = settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        return key.name


def _read(path: Path, option: str) -> bytes | None:
    try:
        token = read_secret(path, option)
    except ValueError as error:
        log.error("%s", error)
        return None
    if len(token) < TOKEN_MIN:
        log.error("%s: the token is shorter than %d characters", option, TOKEN_MIN)
        return None
    return sha256(token.encode()).digest()
