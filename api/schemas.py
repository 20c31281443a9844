"""The shapes of the answers, for the OpenAPI document. The bytes themselves are made elsewhere and not parsed again."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from gateway.live.station_document import By
from gateway.model import Access, Evidence, Health, KindName, Lifecycle, Usable, Use

Texts = dict[str, str]


class OnNowSchema(BaseModel):
    title: Texts = Field(description="empty where the calendar calls it private")
    until: datetime


class OnNext(BaseModel):
    title: Texts
    from_: datetime = Field(alias="from")


class ProgrammeSchema(BaseModel):
    """What takes place in a room."""

    now: OnNowSchema | None = None
    next: OnNext | None = None


class ResourceSchema(BaseModel):
    id: str
    kind: KindName
    type: str | None
    usable: Usable
    because: list[str] = Field(description="every reason that holds, most decisive first")
    lifecycle: Lifecycle
    health: Health
    access: Access
    use: Use
    evidence: Evidence
    observed_at: datetime | None
    valid_until: datetime | None = Field(description="not to be shown as live from then on")
    since: datetime | None
    by: By = Field("sensor", description="whose word decides whether it is usable")
    name: Texts | None = None
    level: str | None = Field(None, description="of a room: how busy")
    free: int | None = Field(None, description="of what is counted in units")
    total: int | None = Field(None, description="of what is counted in units")
    programme: ProgrammeSchema | None = Field(None, description="of a room, from its calendar")


class InstrumentSchema(BaseModel):
    """What measures or warns: a people counter, a detector, the air of a room."""

    id: str
    kind: KindName
    type: str | None
    health: Health
    evidence: Evidence
    by: By = Field(description="whose word decides its health")
    alarm: bool | None = Field(description="of a detector whose word is live, else null")
    values: dict[str, float | bool] = Field(description="those that are live; none of a counter")
    observed_at: datetime | None
    valid_until: datetime | None = Field(description="not to be shown as live from then on")
    name: Texts | None = None


class AreaSchema(BaseModel):
    id: str
    name: Texts
    resources: list[ResourceSchema]
    instruments: list[InstrumentSchema] = Field([], description="left out by a gateway older than they are")


class NextFree(BaseModel):
    """When the next one will be free, from how long such use lasted in the past."""

    at: datetime = Field(description="about then")
    from_: datetime = Field(alias="from", description="in four of five cases not before")
    to: datetime = Field(description="in four of five cases not after")


class Line(BaseModel):
    kind: KindName
    type: str | None
    total: int
    usable_min: int = Field(description="the certain ones")
    usable_max: int = Field(description="with the unknown ones")
    next_free: NextFree | None = Field(None, description="only where all is taken, and the past says enough")


class OpeningSchema(BaseModel):
    now: Usable = Field(description="what its hours and people promise")
    until: datetime | None
    proof: Literal["proved", "unproved", "contradicted"] = Field(
        "unproved", description="what shows that one can come in"
    )
    proved_at: datetime | None = Field(None, description="the last sign of it, rounded down to the hour")
    proved_until: datetime | None = Field(None, description="how long that sign proves at most, rounded up to the hour")


class StationSummary(BaseModel):
    station: str
    name: Texts
    as_of: datetime
    valid_until: datetime | None
    open: OpeningSchema
    summary: list[Line]
    region: list[str] | None = None
    location: dict[str, float | str] | None = None
    distance_m: int | None = Field(None, description="only with `near`")
    watched: bool | None = Field(None, description="false while the station's gateway is away; else left out")


class AvailabilitySchema(BaseModel):
    """A station's availability document."""

    station: str
    name: Texts
    region: list[str] | None = None
    location: dict[str, float | str] | None = None
    as_of: datetime
    valid_until: datetime | None
    open: OpeningSchema
    summary: list[Line]
    areas: list[AreaSchema]
    watched: bool | None = Field(None, description="false while the station's gateway is away; else left out")


class Stations(BaseModel):
    stations: list[StationSummary]
    next: str | None = Field(None, description="only with `limit` or `cursor`: the next cursor; null when this was all")


class Stretch(BaseModel):
    from_: datetime = Field(alias="from")
    to: datetime
    usable: Usable
    use: Use
    evidence: Evidence


class HistorySchema(BaseModel):
    station: str
    resource: str
    from_: datetime = Field(alias="from")
    to: datetime
    intervals: list[Stretch]
    next: datetime | None = Field(description="ask again with from= this; null when this was all")


class SessionSchema(BaseModel):
    name: str
    role: Literal["viewer", "operator", "admin"]
    stations: list[str] = Field(description="with `regions` empty too: every station")
    regions: list[str]
    expires: datetime | None


class Alive(BaseModel):
    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    status: Literal["ready", "degraded", "not ready"]
    checks: dict[str, bool]
    broker: str | None = None
    trouble: list[str]


class ParameterError(BaseModel):
    in_: str = Field(alias="in")
    name: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[ParameterError] | None = None


class UsageSchema(BaseModel):
    """One bucket. Utilisation is occupied ÷ known-open: null when no open minute is known."""

    utilization: float | None = Field(ge=0, le=1)
    coverage: float | None = Field(ge=0, le=1, description="known share of what was, or may have been, open")
    occupied_minutes: float
    known_open_minutes: float
    unknown_minutes: float
    out_of_order_minutes: float
    closed_minutes: float
    sessions: int
    in_use_minutes: float | None = Field(description="one at least was taken; of what holds several, else null")
    filled: float | None = Field(description="people ÷ capacity, units taken ÷ units, over the known-open time")
    no_shows: int = Field(description="bookings of rooms to which nobody came")
    peak: bool | None = Field(description="among the busiest hours of the week; null where too little is known")
    energy_wh: float | None = Field(description="of chargers; null when no meter was heard")
    energy_over_gaps_wh: float | None = Field(
        description="counted between readings over an hour apart, told at the later"
    )
    meter_resets: int | None = Field(description="how often a counter fell; what flowed in between is not known")
    visits_min: int | None = Field(description="a band, by whole days only, see docs/visits.md")
    visits_max: int | None = Field(description="null with `visits_min` given: no upper end is known")


class UseBucket(UsageSchema):
    from_: datetime | None = Field(None, alias="from")
    to: datetime | None = None
    hour_of_week: int | None = Field(None, description="0 is Monday, midnight to one o'clock; only by=hour_of_week")
    station: str | None = Field(None, description="only by=station")


class UseWindow(BaseModel):
    by: str
    from_: datetime = Field(alias="from")
    to: datetime
    total: UsageSchema
    buckets: list[UseBucket]
    lacks: str | None = Field(None, description="only of an API without the journal: what is null, and why")


class Utilization(UseWindow):
    station: str
    area: str | None
    resource: str | None


class RegionUtilization(UseWindow):
    region: list[str]
    stations: list[str]


class ChargeSchema(BaseModel):
    """One use of a charger."""

    resource: str
    from_: datetime = Field(alias="from")
    to: datetime | None = Field(description="null: it goes on")
    whole: bool = Field(description="its beginning and its end were both seen")
    energy_wh: float | None = Field(description="null where the meter does not tell it")


class ChargeSum(BaseModel):
    sessions: int
    whole: int
    energy_wh: float | None = Field(description="of the sessions whose energy is known")
    energy_unknown: int = Field(description="sessions whose energy is not")


class SessionsSchema(BaseModel):
    station: str
    area: str | None
    resource: str | None
    from_: datetime = Field(alias="from")
    to: datetime
    total: ChargeSum = Field(description="of the whole window, not of the page")
    sessions: list[ChargeSchema]
    next: datetime | None = Field(description="ask again with from= this; null when this was all")
