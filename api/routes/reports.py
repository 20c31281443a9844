"""`POST /api/v1/stations/{station}/reports`: a visitor says that something is wrong. No key, no personal data."""

import re
import secrets
from collections import OrderedDict, deque
from hashlib import blake2b
from typing import Annotated, Literal

from fastapi import Body, HTTPException, Request
from pydantic import BaseModel, Field

from api.addresses import network_of
from api.context import ApiContext
from api.late_routes import Routes
from api.problem import not_found
from api.routes.alerts import PROBLEMS
from api.routes.staff import Staff
from gateway.alerting import Alerting
from gateway.model import Millis
from gateway.policy.personal import without_personal_numbers
from gateway.policy.text import one_line

HOUR_MS = 3_600_000
# A station whose visitors all complain needs a person, not the thousandth report.
STATION_FACTOR = 10
ADDRESSES_KEPT = 10_000
# A repair needs no number of six digits, and no mail address: more goes than from the texts of staff.
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+|(?:\d[\s-]?){5,}[\dXx]")


class VisitorReport(BaseModel):
    """What is wrong with what. `resource` left out: the station as a whole."""

    resource: str | None = None
    kind: Literal["broken", "dirty", "wrong", "other"] = "other"
    text: Annotated[str, Field(max_length=300, description="numbers and addresses of people are taken out")] = ""


class Received(BaseModel):
    received: bool = True


class Rate:
    """So many an hour for a name. Addresses are kept as a keyed hash, in memory only."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour, self._key = per_hour, secrets.token_bytes(16)
        self._seen: OrderedDict[bytes, deque[Millis]] = OrderedDict()

    def allows(self, name: str, now: Millis) -> bool:
        digest = blake2b(name.encode(), key=self._key, digest_size=16).digest()
        times = self._seen.setdefault(digest, deque())
        self._seen.move_to_end(digest)
        while times and times[0] <= now - HOUR_MS:
            times.popleft()
        if len(self._seen) > ADDRESSES_KEPT:
            self._seen.popitem(last=False)
        if len(times) >= self._per_hour:
            return False
        times.append(now)
        return True


def router(context: ApiContext, alerting: Alerting | None) -> Routes:
    routes = Routes(prefix="/api/v1", tags=["visitors"], responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
    staff = Staff(context, alerting)
    per_hour = context.settings.api.reports_per_hour
    by_address, by_station = Rate(per_hour), Rate(per_hour * STATION_FACTOR)

    @routes.post(
        "/stations/{station}/reports",
        status_code=202,
        response_model=Received,
        responses={429: PROBLEMS[404]},
        summary="Report a problem",
    )
    async def report(station: str, said: Annotated[VisitorReport, Body()], request: Request) -> Received:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        if said.resource is not None and not any(
            resource.id == said.resource for area in known.areas for resource in area.resources
        ):
            raise HTTPException(404, "the station has no resource of this id")
        now, address = context.now(), network_of(request.client.host) if request.client is not None else "?"
        if not by_address.allows(address, now) or not by_station.allows(station, now):
            raise HTTPException(429, "enough reports for this hour, thank you", {"retry-after": "3600"})
        await staff.do(
            "report", "visitor", station, resource=said.resource, sort=said.kind, text=without_people(said.text)
        )
        return Received()

    return routes


def without_people(text: str) -> str:
    """The text on one line, without numbers or addresses that belong to somebody."""
    return _PERSONAL.sub("…", without_personal_numbers(one_line(text)))
