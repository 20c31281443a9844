"""`/api/v1/stations/{station}/tally`: what people who rest here work as, by one tap. No key, no personal data."""

from typing import Annotated, Any

from fastapi import Body, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.addresses import network_of
from api.context import ApiContext
from api.late_routes import Routes
from api.occupations import month_name, months
from api.problem import not_found
from api.routes.alerts import PROBLEMS
from api.routes.past import answer
from api.routes.reports import Rate, Received
from gateway.history.occupations import OCCUPATIONS
from gateway.store.occupations import OccupationCounts

PER_ADDRESS = 20
"""Answers of one address in an hour: many share the network of the place."""
PER_STATION = 300
PUBLIC = {"cache-control": "public, max-age=300"}


class Tapped(BaseModel):
    """What somebody works as."""

    model_config = ConfigDict(extra="forbid")

    occupation: Annotated[str, Field(description=f"one of {', '.join(OCCUPATIONS)}")]

    @field_validator("occupation")
    @classmethod
    def listed(cls, value: str) -> str:
        if value not in OCCUPATIONS:
            raise ValueError(f"is none of {', '.join(OCCUPATIONS)}")
        return value


class MonthShares(BaseModel):
    month: str = Field(description="2026-10: one that is over at the station")
    answers: int = Field(description="how many the shares are of: at least 20")
    shares: dict[str, float] = Field(description="by occupation; groups under five are in other, or in none")


class MonthsShares(BaseModel):
    months: list[MonthShares] = Field(description="the newest first; none of which less than 20 answers may be told")


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/stations", tags=["visitors"], responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
    by_address, by_station = Rate(PER_ADDRESS), Rate(PER_STATION)

    @routes.post(
        "/{station}/tally",
        status_code=201,
        response_model=Received,
        responses={429: PROBLEMS[404]},
        summary="Say what one works as",
    )
    def tapped(station: str, said: Annotated[Tapped, Body()], request: Request) -> Received:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        now, address = context.now(), network_of(request.client.host) if request.client is not None else "?"
        if not by_address.allows(address, now) or not by_station.allows(station, now):
            raise HTTPException(429, "enough answers for this hour, thank you", {"retry-after": "3600"})
        month = month_name(context.settings, known, now)
        OccupationCounts(context.settings.store.path).add(station, month, said.occupation)
        return Received()

    @routes.get("/{station}/tally", response_model=MonthsShares, summary="Who rests here, by months that are over")
    def shares(station: str) -> Response:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        told = months(context.settings, [known], context.now())[station]
        rows: list[dict[str, Any]] = [
            {
                "month": month,
                "answers": shares_of_month.answers,
                "shares": {name: round(share, 3) for name, share in shares_of_month.shares.items()},
            }
            for month, shares_of_month in told.items()
        ]
        return answer({"months": rows}, PUBLIC)

    return routes
