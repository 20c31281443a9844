"""`stations:`: the places, their areas and the resources in them."""

# ruff: noqa: RUF012 (pydantic copies a mutable default for each model)

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from config.modules import names_in
from config.schema.api import Display
from config.schema.base import (
    STRICT,
    DeviceId,
    FeedAddress,
    File,
    Hours,
    HttpUrl,
    Id,
    Kind,
    Lifecycle,
    Model,
    MqttTopic,
    Positive,
    Reporting,
    Seconds,
    Strings,
    Texts,
    TimeZone,
)
from config.schema.rounds import CheckSettings

if TYPE_CHECKING:
    Dialect = str
else:
    Dialect = Literal[names_in("gateway/dialects")]
Scalar = bool | int | float | str


class Location(Model):
    """Where a station is, in WGS 84 (what a GPS receiver shows)."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    """Latitude in degrees north."""
    lon: Annotated[float, Field(ge=-180, le=180)]
    """Longitude in degrees east."""
    address: str | None = None
    """Address for people."""


class OverrideSettings(Model):
    """A status set by hand that outranks the sensors."""

    status: Literal["open", "closed", "staff_only", "maintenance", "free", "busy"]
    """What is shown instead."""
    until: AwareDatetime | None = None
    """When it ends, with offset; without it, it holds until taken out."""
    reason: str | None = None
    """Why, for staff."""


class SourceSettings(Model):
    """The device of another make that speaks for a resource."""

    dialect: Dialect = "native"
    """How its payload is read."""
    topic: MqttTopic
    """Its base topic, or the exact topic of its messages."""
    field: str | None = None
    """Path of the one value that matters, such as object.occupancy, where the dialect leaves a choice."""
    fields: dict[str, str] = {}
    """Path of the value for each signal."""
    values: dict[str, Scalar | dict[str, Scalar]] = {}
    """What raw values mean, for all signals or by signal."""
    scale: dict[str, float] = {}
    """Factor for each numeric signal."""
    ts: str | None = None
    """Path of the time, RFC 3339 or milliseconds since 1970."""
    availability_topic: MqttTopic | None = None
    """Topic of its online/offline messages, where it is not the dialect's usual one."""


class ErrorPctSettings(Model):
    """How far a sensor that counts people may be wrong, so that visits are told as an interval that holds the truth."""

    missed: Annotated[float, Field(ge=0, le=90)]
    """Of 100 people, so many pass uncounted at most."""
    double: Annotated[float, Field(ge=0, le=100)]
    """Of 100 people, so many are counted twice at most."""


@dataclass(config=STRICT, slots=True, kw_only=True)
class ResourceSettings:
    """One seat, pile, door: something a visitor uses."""

    # No Model: there may be 100,000, and as models they take four times the room.

    id: Id
    """Unique within the station."""
    kind: Kind
    """What it is."""
    type: str | None = None
    """Which sort of charger, appliance or safety item."""
    name: Texts = Field(default_factory=dict)
    """Name by language."""
    power: Literal["mains", "battery"] = "mains"
    """What its device lives on. A battery promises a sign of life a day: `ttl` and `reporting` have other defaults."""
    ttl: Seconds | None = None
    """Seconds a value stays good; by default that of the kind, on a battery 25 hours where that is longer."""
    reporting: Reporting | None = None
    """Whether each message renews the value, or any sign of life does; by default that of the kind, on a battery
    `on_change`."""
    capacity: Positive | None = None
    """How many people or units it holds."""
    privacy: Literal["coarse"] | None = None
    """coarse shows a room only as open, busy or quiet."""
    features: Strings = ()
    """What it has: `reader` for a door that opens by card, so that its lock shuts nobody out; a room's equipment."""
    entrance: Id | None = None
    """The entrance that it watches: counters, doors and readers with the same name in a station count the same people;
    by default its area is one entrance."""
    error_pct: ErrorPctSettings | None = None
    """Of 100 people, how many a counter or a door's reader misses and counts twice at most; by default 2 and 5 for a
    counter, 10 and 2 for a reader."""
    lifecycle: Lifecycle = "active"
    """planned and removed ones are shown but never usable."""
    device: DeviceId | None = None
    """The device that speaks for it, and may for others; by default the resource's id."""
    source: SourceSettings | None = None
    """A device of another make that speaks for it."""
    override: OverrideSettings | None = None
    """A status set by hand."""

    @property
    def device_id(self) -> str:
        """The device that speaks for this resource."""
        return self.device or self.id


class WrittenCalendar(Model):
    """A calendar on the web with a log-in, which may be told of bookings that nobody came to."""

    url: HttpUrl
    """Address of the calendar; with give_up that of its CalDAV collection."""
    username: str | None = None
    """Who asks there."""
    password_file: File | None = None
    """File with the password."""
    give_up: Literal["cancel", "comment"] | None = None
    """What becomes of a booking there that nobody came to: it is cancelled, or gets a comment. By default nothing."""


def _one_or_many_calendars(value: object) -> object:
    return [value] if isinstance(value, (str, dict)) else value


def _sort_of_calendar(value: object) -> str:
    return "written" if isinstance(value, (dict, WrittenCalendar)) else "address"


CalendarList = Annotated[
    tuple[
        Annotated[
            Annotated[FeedAddress, Tag("address")] | Annotated[WrittenCalendar, Tag("written")],
            Discriminator(_sort_of_calendar),
        ],
        ...,
    ],
    BeforeValidator(_one_or_many_calendars, json_schema_input_type=str | list[str | WrittenCalendar]),
]


class AreaSettings(Model):
    """A part of a station."""

    id: Id
    """Unique within the station."""
    name: Texts = {}
    """Name by language."""
    hours: Hours | None = None
    """Opening hours; by default the station's."""
    capacity: Positive | None = None
    """How many people it holds."""
    privacy: Literal["coarse"] | None = None
    """coarse shows its rooms only as open, busy or quiet."""
    calendar: CalendarList = ()
    """iCalendar files or URLs with what takes place here."""
    special_days: dict[date, Hours] = {}
    """Opening hours of single days, instead of the usual ones."""
    override: OverrideSettings | None = None
    """A status set by hand."""
    resources: tuple[ResourceSettings, ...] = ()
    """What is in it."""


class Closure(Model):
    """Days on which a station is closed."""

    first: date
    """First day."""
    last: date
    """Last day, included."""
    reason: Texts = {}
    """Why, by language."""


class PartnerSettings(Model):
    """A partner venue (友好商户) whose status is set by hand."""

    token_file: File
    """File with the token of its page /p/{token}."""
    valid_hours: Annotated[int, Field(ge=1, le=720)] = 12
    """What is set by hand holds for so long."""


class StationSettings(Model):
    """One rest station or venue."""

    id: Id
    """Unique; it stands in topics and addresses."""
    name: Texts = {}
    """Name by language."""
    region: Strings = ()
    """Region from the largest to the smallest, such as [广东, 江门, 鹤山]."""
    location: Location | None = None
    """Where it is."""
    timezone: TimeZone | None = None
    """Time zone; by default the configuration's."""
    hours: Hours | None = None
    """Opening hours in opening_hours syntax; without them nobody can say whether it is open."""
    weekend: Literal["calendar", "rest_day"] | None = None
    """What Sa and Su in `hours` mean; by default what `calendar.weekend` says."""
    closures: tuple[Closure, ...] = ()
    """Days on which it is closed."""
    special_days: dict[date, Hours] = {}
    """Opening hours of single days, instead of the usual ones."""
    lifecycle: Lifecycle = "active"
    """planned and removed ones are shown but never usable."""
    override: OverrideSettings | None = None
    """A status set by hand."""
    partner: PartnerSettings | None = None
    """A partner venue whose status is set by hand."""
    checks_token_file: File | None = None
    """File with the token of the page /c/{token}: who holds the link may report checks here, nothing else. A new token
    ends the old link."""
    checks: tuple[CheckSettings, ...] = ()
    """What people look at on their rounds (巡检)."""
    floor_plan: File | None = None
    """SVG drawing whose elements carry data-resource."""
    display: Display | None = None
    """How its screen is shown; by default what `api.display` says."""
    areas: tuple[AreaSettings, ...] = ()
    """Its parts."""
