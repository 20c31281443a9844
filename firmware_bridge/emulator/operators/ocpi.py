"""A made-up operator who speaks OCPI 2.2.1: strict about tokens, with pages, changes since a date, and push."""

import base64
import json
import secrets
import threading
from collections.abc import Callable
from http.client import HTTPException
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs, urlsplit

from firmware_bridge.emulator.operators.web import WebQuestion, WebReply, WebServer, called
from firmware_bridge.emulator.operators.world import OperatedPlugs
from gateway.base.times import from_rfc3339, rfc3339
from gateway.model import Millis

WORDS = {
    "Available": "AVAILABLE", "Preparing": "BLOCKED", "Charging": "CHARGING", "SuspendedEV": "CHARGING",
    "Finishing": "BLOCKED", "Unavailable": "INOPERATIVE", "Reserved": "RESERVED", "Faulted": "OUTOFORDER",
}  # fmt: skip
UNREACHABLE = 3001  # OCPI's word for a partner who does not answer when he is asked back


class VirtualOcpiOperator:
    """`invitation` is the token that a partner begins with. `plugs` are its EVSEs, `a_location` of them in each.

    `trusts`: how it verifies a partner's TLS; None for plain HTTP partners.
    """

    def __init__(
        self, plugs: OperatedPlugs, now: Callable[[], Millis], invitation: str, *, a_location: int = 2, page: int = 3,
        port: int = 0, tls: SSLContext | None = None, trusts: SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.plugs, self._now, self.invitation, self._a_location = plugs, now, invitation, a_location
        self.page, self.trusts = page, trusts
        self.web = WebServer(self._answer, port, tls)
        self.partner: dict[str, Any] | None = None
        """What the partner told of itself."""
        self.token: str | None = None
        """What the partner has to send."""
        self.receiver: str | None = None
        """Where the partner takes locations."""
        self.names_next = True
        self.removed: set[str] = set()
        self._lock = threading.Lock()

    @property
    def versions_url(self) -> str:
        return f"{self.web.url}/ocpi/versions"

    def start(self) -> None:
        self.web.start()

    def end(self) -> None:
        self.web.end()

    # ---- what he says of his locations ----

    def locations(self) -> list[dict[str, Any]]:
        names = [name for name in self.plugs.names if name not in self.removed]
        groups = [names[at : at + self._a_location] for at in range(0, len(names), self._a_location)]
        return [self._location(number, group) for number, group in enumerate(groups, 1)]

    def _location(self, number: int, names: list[str]) -> dict[str, Any]:
        evses = [self.evse(name) for name in names]
        return {
            "country_code": "CN", "party_id": "OPR", "id": f"L{number}", "publish": True, "name": f"充电站 {number}",
            "address": "南山区", "city": "深圳", "country": "CHN", "time_zone": "Asia/Shanghai",
            "coordinates": {"latitude": "22.541000", "longitude": "113.940000"}, "evses": evses,
            "last_updated": max(evse["last_updated"] for evse in evses),
        }  # fmt: skip

    def evse(self, name: str) -> dict[str, Any]:
        at, status = rfc3339(self.plugs.changed_at(name)), self.plugs.status(name)
        connector = {
            "id": "1", "standard": "GBT_AC", "format": "SOCKET", "power_type": "AC_1_PHASE", "max_voltage": 220,
            "max_amperage": 32, "last_updated": at,
        }  # fmt: skip
        return {"uid": name, "status": WORDS.get(status, status), "connectors": [connector], "last_updated": at}

    # ---- what he is asked ----

    def _answer(self, asked: WebQuestion) -> WebReply:
        with self._lock:
            shown = asked.headers.get("authorization", "").partition(" ")[2]
            try:
                token = base64.b64decode(shown, validate=True).decode()
            except ValueError:
                token = ""
            path = urlsplit(asked.target).path.removeprefix("/ocpi/")
            if token not in (self.invitation if self.token is None else self.token, self.token):
                return self._said(None, 401, 2001)
            if path == "versions":
                return self._said([{"version": "2.1.1", "url": "x"}, {"version": "2.2.1", "url": self._here("2.2.1")}])
            if path == "2.2.1":
                return self._said({"version": "2.2.1", "endpoints": self._endpoints()})
            if path == "2.2.1/credentials":
                return self._credentials(asked)
            if path == "2.2.1/locations" and self.token is not None:
                return self._page(parse_qs(urlsplit(asked.target).query))
            return self._said(None, 404, 2003)

    def _here(self, path: str) -> str:
        return f"{self.web.url}/ocpi/{path}"

    def _endpoints(self) -> list[dict[str, str]]:
        return [
            {"identifier": "credentials", "role": "RECEIVER", "url": self._here("2.2.1/credentials")},
            {"identifier": "tariffs", "role": "SENDER", "url": self._here("2.2.1/tariffs")},
            {"identifier": "locations", "role": "SENDER", "url": self._here("2.2.1/locations")},
        ]

    def _credentials(self, asked: WebQuestion) -> WebReply:
        if (asked.method == "POST") is not (self.token is None):
            return self._said(None, 405, 2000)
        partner = json.loads(asked.body)
        try:
            self.receiver = self._receiver_of(partner)
        except (OSError, HTTPException, ValueError, TypeError, LookupError, StopIteration):  # the old token stays good
            return self._said(None, 200, UNREACHABLE)
        self.partner, self.token = partner, secrets.token_hex(16)
        role = {"role": "CPO", "party_id": "OPR", "country_code": "CN", "business_details": {"name": "Operator"}}
        return self._said({"token": self.token, "url": self.versions_url, "roles": [role]})

    def _receiver_of(self, partner: dict[str, Any]) -> str:
        """Where the partner takes locations: a strict operator asks him back before he answers."""
        versions = self.call("GET", partner["url"], token=partner["token"])[1]["data"]
        details = self.call("GET", versions[0]["url"], token=partner["token"])[1]["data"]
        return next(str(endpoint["url"]) for endpoint in details["endpoints"] if endpoint["identifier"] == "locations")

    def _page(self, query: dict[str, list[str]]) -> WebReply:
        offset, limit = int(query.get("offset", ["0"])[0]), min(int(query.get("limit", ["50"])[0]), self.page)
        since = from_rfc3339(query["date_from"][0]) if "date_from" in query else 0
        changed = [location for location in self.locations() if from_rfc3339(location["last_updated"]) >= since]
        headers = {"X-Total-Count": str(len(changed)), "X-Limit": str(self.page)}
        if self.names_next and offset + limit < len(changed):
            more = f"&date_from={query['date_from'][0]}" if since else ""
            following = f"{self._here('2.2.1/locations')}?offset={offset + limit}&limit={limit}{more}"
            headers["Link"] = f'<{following}>; rel="next"'
        return self._said(changed[offset : offset + limit], headers=headers)

    def _said(self, data: Any, http: int = 200, status: int = 1000, headers: dict[str, str] | None = None) -> WebReply:
        told: dict[str, Any] = {"status_code": status, "timestamp": rfc3339(self._now())}
        if data is not None:
            told["data"] = data
        return WebReply(http, json.dumps(told).encode(), {"Content-Type": "application/json", **(headers or {})})

    # ---- what he tells by himself ----

    def push(self, name: str, **more: Any) -> int:
        """The HTTP status that the partner answered with."""
        evse = self.evse(name)
        place = f"{self.receiver}/CN/OPR/L1/{name}"
        return self.call("PATCH", place, {"status": evse["status"], "last_updated": evse["last_updated"]} | more)[0]

    def call(self, method: str, url: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """Ask the partner; his status and what he said."""
        told = token if token is not None else (self.partner or {}).get("token", "")
        headers = {"Authorization": "Token " + base64.b64encode(told.encode()).decode()}
        status, said = called(method, url, headers, None if body is None else json.dumps(body), self.trusts)
        return status, json.loads(said or b"null")
