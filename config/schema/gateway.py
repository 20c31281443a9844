"""`gateway:`, `privacy:`, `promises:`, `calendar:` and `kinds:`: how messages become what is true now."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from config.kinds import SPECS
from config.schema.base import HostPort, Id, Kind, Listen, Model, NotNegative, Positive, Reporting, Seconds, Span, wrong

SATURDAY = 5


class GatewaySettings(Model):
    """Intake and its bounds."""

    id: Id = "gateway"
    """Name of this gateway in yz-sys/{id} and in its client id."""
    metrics_listen: Listen = HostPort("127.0.0.1", 9101)
    """Address of /metrics, /healthz and /readyz of `yizhan gateway`; port 0 turns it off."""
    document_interval_ms: Annotated[int, Field(ge=10, le=100)] = 10
    """A station's change goes out at once; further ones within so many milliseconds as one document."""
    ack_interval_s: Annotated[int, Field(ge=1, le=10)] = 5
    """At most so long after a commit the watermark is published."""
    snapshot_interval_s: Seconds = 60
    """How often the state is written down to make the next start quick."""
    reorder_window_s: NotNegative = 30
    """Readings that arrive out of order within so many seconds give the same result in replay."""
    restart_grace_s: NotNegative = 30
    """After a start of ours or of the broker nobody is called offline for so long."""
    device_messages_per_s: NotNegative = 100
    """Messages that one device may send in the long run; what is more is let go, and told. 0: as many as it wants."""
    device_messages_burst: Annotated[int, Field(ge=10_000, le=100_000_000)] = 100_000
    """Messages that it may send at once, as after an outage of its own; an outage of ours adds to it."""
    inbox_max_messages: Positive = 50_000
    """Messages that may wait for the disk; beyond it we stop reading, and after 5 s leave the rest to the broker."""
    inbox_max_mib: Positive = 32
    """The same bound in memory."""
    quarantine_max_messages: Positive = 100_000
    """Unreadable messages kept; the oldest go first."""
    quarantine_max_mib: Positive = 64
    """The same bound on disk."""


class Privacy(Model):
    """What the public may see of people and doors."""

    people_bands: tuple[NotNegative, ...] = (0, 1, 5, 10, 20, 50)
    """Lower bounds of the bands in which people counts are shown."""
    tick_s: Seconds = 300
    """Banded figures change at most once in so many seconds."""

    @field_validator("people_bands")
    @classmethod
    def _rising(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        if not bands or bands[0] != 0 or list(bands) != sorted(set(bands)):
            raise wrong("must start at 0 and rise", "write it like [0, 1, 5, 10]")
        return bands


class Promises(Model):
    """What proves that a station is open, as its hours promise."""

    hold_min: Annotated[int, Field(ge=1, le=1_440)] = 120
    """Minutes for which a sign that somebody came in, or could, proves it."""
    patience_min: Annotated[int, Field(ge=1, le=1_440)] = 15
    """Minutes without a sign after which locked doors, refused cards or a person's word contradict it."""


class NoticeSettings(Model):
    """The State Council's notice for one year (国务院办公厅关于…年部分节假日安排的通知)."""

    year: Annotated[int, Field(ge=2004, le=2200)]
    """The year it is for."""
    days_off: Annotated[tuple[Span, ...], Field(min_length=1)]
    """All days off that it names, weekends among them included: days, or first/last."""
    workdays: tuple[date, ...] = ()
    """Saturdays and Sundays that are worked (调休)."""

    @model_validator(mode="after")
    def _around_the_year(self) -> "NoticeSettings":
        ends = [end for span in self.days_off for end in (span.first, span.last)]
        for day in (*ends, *self.workdays):
            if not date(self.year - 1, 12, 1) <= day <= date(self.year, 12, 31):
                raise wrong(f"{day} is no day of the notice for {self.year}", "correct the day or the year")
        for day in self.workdays:
            if day.weekday() < SATURDAY:
                raise wrong(f"{day} is no Saturday or Sunday", "name weekend days that are worked")
            if any(span.first <= day <= span.last for span in self.days_off):
                raise wrong(f"{day} is both off and worked", "keep one of the two")
        return self


class Calendar(Model):
    """Which days count as holidays."""

    holidays: Literal["CN", "none"] = "CN"
    """Official holiday calendar; CN knows the make-up workdays (调休)."""
    notices: tuple[NoticeSettings, ...] = ()
    """Notices that the installed chinesecalendar doesn't know yet; they outrank it."""
    weekend: Literal["calendar", "rest_day"] = "rest_day"
    """Sa and Su in opening hours: calendar means the days of the week, rest_day the days that people are off."""


class KindDefaults(Model):
    """What holds for resources of a kind that say nothing themselves."""

    ttl_s: Seconds
    """Seconds a value stays good."""
    reporting: Reporting
    """periodic: each message renews the value; on_change: any sign of life does."""
    away_s: NotNegative = 0
    """A seat just left is `away` for so long before it is free."""


class KindSettings(Model):
    """Changes to the defaults of one kind; what is left out keeps its default."""

    ttl_s: Seconds | None = None
    """Seconds a value stays good."""
    reporting: Reporting | None = None
    """periodic: each message renews the value; on_change: any sign of life does."""
    away_s: NotNegative | None = None
    """A seat just left is `away` for so long before it is free."""


def defaults_for(kind: Kind) -> KindDefaults:
    """The shipped defaults of a kind; `Settings.defaults_for` knows what the configuration changed."""
    spec = SPECS[kind]
    return KindDefaults(ttl_s=spec.ttl_s, reporting=spec.reporting)
