"""Changes told to registered partners: the status of a charging point by PATCH, a location it does not know by PUT.

What is owed is the present: of several changes only the last is told. A partner that does not take it is tried again,
ever less often, and holds up nobody else.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from api.live_view import Entry
from api.ocpi.envelope import NOT_THERE
from api.ocpi.handshake import PartnerLine
from api.ocpi.partners import PartnerBook, Registration
from api.ocpi.sender import Locations
from config.schema import Ocpi, OcpiPartner, Settings
from gateway.base.mishaps import Mishaps
from gateway.base.times import rfc3339
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.http import Answer, Target, exchange

log = logging.getLogger(__name__)

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 600_000
LOOKS_S: Final = 1.0


class _Debt:
    """What one partner has been told, and which stations it has yet to hear of."""

    def __init__(self, stations: Iterable[str]) -> None:
        self.told: dict[tuple[str, str], str] = {}
        self.stations = set(stations)
        self.failures = 0
        self.not_before: Millis = 0


class Push(threading.Thread):
    """`heard` is called with each new document, on the thread that shows them."""

    def __init__(
        self, settings: Callable[[], Settings], partners: PartnerBook, locations: Locations, now: Callable[[], Millis],
        mishaps: Mishaps, used: Callable[[str], None] = lambda _partner: None,
    ) -> None:  # fmt: skip
        """`used(partner)` hears of each that took something."""
        super().__init__(name="ocpi", daemon=True)  # a partner may take longer than a stop may
        self._settings, self._partners, self._locations, self._now = settings, partners, locations, now
        self._mishaps, self._used, self._stopping, self._lock = mishaps, used, threading.Event(), threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._changed: set[str] = set()
        self._debts: dict[tuple[str, str], _Debt] = {}
        self._of: Settings | None = None

    def heard(self, entry: Entry) -> None:
        with self._lock:
            self._entries[entry.station] = entry
            self._changed.add(entry.station)

    def run(self) -> None:
        while not self._stopping.wait(LOOKS_S):
            with self._mishaps.contained("telling OCPI partners"):
                self.step()

    def end(self) -> None:
        self._stopping.set()

    def step(self) -> None:
        """Tell each partner what it has yet to hear, as far as it takes it now."""
        settings, now = self._settings(), self._now()
        ocpi = settings.ocpi
        if settings is not self._of:  # what a reload took out no document tells
            self._of = settings
            with self._lock:
                self._changed |= self._entries.keys()
        partners = [] if ocpi is None else self._partners.registered(ocpi)
        agreed = {(partner.id, registration.ours): (partner, registration) for partner, registration in partners}
        with self._lock:
            changed, self._changed = self._changed, set()
            entries = dict(self._entries) if agreed else {}
        self._debts = {key: self._debts.get(key) or _Debt(entries) for key in agreed}
        for key, (partner, registration) in agreed.items():
            debt = self._debts[key]
            debt.stations |= changed
            if debt.stations and now >= debt.not_before:
                self._settle(debt, partner, registration, entries, ocpi)

    def _settle(
        self, debt: _Debt, partner: OcpiPartner, registration: Registration, entries: dict[str, Entry],
        ocpi: Ocpi | None,
    ) -> None:  # fmt: skip
        assert ocpi is not None
        for station in sorted(debt.stations):
            entry, now = entries[station], self._now()
            locations = self._locations.of([entry], ocpi, now)
            try:
                for location in locations:
                    self._tell(debt, partner, registration, location)
                there = {evse["uid"] for location in locations for evse in location["evses"]}
                self._leave(debt, partner, registration, ocpi, station, there)
            except SendError as error:
                debt.failures += 1
                pause = min(FIRST_PAUSE_MS * 2 ** min(debt.failures - 1, 10), LONGEST_PAUSE_MS)
                debt.not_before = now + pause
                log.warning("OCPI partner %s was not told: %s; again in %d s", partner.id, error, pause // 1000)
                return
            debt.stations.discard(station)
        debt.failures = 0

    def _tell(self, debt: _Debt, partner: OcpiPartner, registration: Registration, location: dict[str, Any]) -> None:
        """Each point whose status is another than it was told. SendError where that is not taken."""
        station = location["id"]
        here = f"{registration.receiver}/{location['country_code']}/{location['party_id']}/{station}"
        line = PartnerLine(registration.theirs, partner.allow_private)
        for evse in location["evses"]:
            if debt.told.get((station, evse["uid"])) == evse["status"]:
                continue
            patch = {"status": evse["status"], "last_updated": evse["last_updated"]}
            answer = self._send(line, "PATCH", f"{here}/{evse['uid']}", patch)
            if _is_unknown(answer):
                answer = self._send(line, "PUT", here, location)
                _check(answer)
                self._used(partner.id)
                debt.told |= {(station, evse["uid"]): evse["status"] for evse in location["evses"]}
                return
            _check(answer)
            self._used(partner.id)
            debt.told[station, evse["uid"]] = evse["status"]

    def _leave(
        self, debt: _Debt, partner: OcpiPartner, registration: Registration, ocpi: Ocpi, station: str, there: set[str]
    ) -> None:
        """Points that it was told of and that are configured no more are REMOVED. SendError where that is not taken."""
        line = PartnerLine(registration.theirs, partner.allow_private)
        here = f"{registration.receiver}/{ocpi.country_code}/{ocpi.party_id}/{station}"
        for key in [key for key in debt.told if key[0] == station and key[1] not in there]:
            patch = {"status": "REMOVED", "last_updated": rfc3339(self._now())}
            answer = self._send(line, "PATCH", f"{here}/{key[1]}", patch)
            if not _is_unknown(answer):
                _check(answer)
            self._used(partner.id)
            del debt.told[key]

    def _send(self, line: PartnerLine, method: str, url: str, body: dict[str, Any]) -> Answer:
        headers = line.headers() | {"Content-Type": "application/json"}
        return exchange(Target(url, 10, line.allow_private), method, msgspec.json.encode(body), self._now(), headers)


def _is_unknown(answer: Answer) -> bool:
    """Whether the partner says that it has no such point."""
    return answer.status == 404 or answer.json().get("status_code") == NOT_THERE


def _check(answer: Answer) -> None:
    """SendError unless it was taken: by HTTP, and by OCPI where it says so."""
    answer.check()
    status = answer.json().get("status_code", 1000)
    if not isinstance(status, int) or not 1000 <= status < 2000:
        raise SendError(f"{answer.host}: OCPI status {str(status)[:20]}")
