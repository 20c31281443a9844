"""`alerts:`: when staff are told, through which channels, and who is told what."""

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from config.kinds import NAMES, SPECS
from config.modules import names_in
from config.schema.base import (
    Days,
    File,
    Hours,
    HttpUrl,
    Id,
    Kind,
    Language,
    Model,
    NotNegative,
    Percent,
    PlainWord,
    PortNumber,
    Positive,
    Seconds,
    Strings,
)

if TYPE_CHECKING:
    ChannelKind = str
else:
    ChannelKind = Literal[names_in("gateway/notify/channels")]
Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def _and_above(value: object) -> object:
    if value in SEVERITIES:
        return SEVERITIES[SEVERITIES.index(value) :]
    return (value,) if isinstance(value, str) else value


TemplateKeyword = Annotated[str, Field(pattern=r"^[a-z_]{2,20}\d{1,2}$")]
TemplateWord = Literal["title", "where", "what", "severity", "text", "first", "last"]
TEMPLATE_FIELDS: dict[str, TemplateWord] = {"thing1": "where", "thing2": "what", "time3": "title", "thing4": "last"}


class Channel(Model):
    """A way to reach staff."""

    id: Id
    """Unique among channels."""
    kind: ChannelKind
    """What is spoken there."""
    url: Annotated[str | None, Field(repr=False)] = None
    """Address; for a robot it holds its key, so better take `url_file`."""
    url_file: File | None = None
    """File with the address."""
    secret_file: File | None = None
    """File with the key that signs messages (dingtalk, feishu, webhook), or the secret of an app (wechat, wecom)."""
    allow_private: bool = False
    """Allow an address in a private network or on this machine."""
    lang: Language = "zh"
    """Language of the messages."""
    timeout_s: Annotated[int, Field(ge=1, le=60)] = 10
    """How long one delivery may take."""
    cap_per_hour: Positive = 20
    """Messages in an hour; what is beyond comes as one digest."""
    fallback: Id | None = None
    """Channel that takes over while this one fails."""
    host: str | None = None
    """Mail server (smtp)."""
    port: PortNumber = 587
    """Port of the mail server (smtp)."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """Encryption to the mail server (smtp)."""
    username: str | None = None
    """Login at the mail server (smtp)."""
    password_file: File | None = None
    """File with the password for `username` (smtp)."""
    hello: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9.:\[\]-]{1,255}$")] = None
    """Name to greet the mail server with (smtp); default: this machine's full name, else its address."""
    sender: str | None = None
    """From address (smtp)."""
    to: Strings = ()
    """Receivers: mail addresses (smtp), openids (wechat), members (wecom with corp_id)."""
    app_id: str | None = None
    """The mini-program's AppID (wechat)."""
    template: str | None = None
    """Id of the message's template (wechat)."""
    fields: dict[TemplateKeyword, TemplateWord] = TEMPLATE_FIELDS
    """What stands under each keyword of the template (wechat)."""
    page: str | None = None
    """Page of the mini-program that a message opens (wechat)."""
    model_id: str | None = None
    """Model of the device, for device messages (wechat)."""
    device_sn: str | None = None
    """Serial number of the device; with it device messages are sent (wechat)."""
    corp_id: str | None = None
    """The company's id; with it messages of an app instead of a robot's (wecom)."""
    agent_id: NotNegative | None = None
    """The app's AgentId (wecom with corp_id)."""


class RouteSettings(Model):
    """Which alerts go to which channels; every route that fits is taken. What is left out fits all."""

    channels: Annotated[Strings, Field(min_length=1)]
    """Ids of the channels told."""
    stations: Strings = ()
    """Stations it holds for."""
    regions: Strings = ()
    """Regions it holds for, any level."""
    kinds: tuple[PlainWord, ...] = ()
    """Kinds of alert or of resource it holds for."""
    severity: Annotated[
        tuple[Severity, ...], BeforeValidator(_and_above, json_schema_input_type=Severity | list[Severity])
    ] = SEVERITIES
    """One word means that and above; a list means exactly those."""
    hours: Hours | None = None
    """When it holds, in opening_hours syntax."""
    escalate_after_min: NotNegative = 0
    """Nobody acknowledged for so many minutes: `escalate_to` is told; 0 for never."""
    escalate_to: Strings = ()
    """Ids of the channels told then."""


class Thresholds(Model):
    """From where on something is an alert."""

    battery_low_pct: Percent = 20
    """Battery at or below this."""
    safety_expiry_days: Days = 30
    """An AED pad or first-aid item expires within so many days."""
    door_held_s: Seconds = 120
    """A door stands open for so long."""
    disk_free_mib: Positive = 512
    """Free disk space below this."""
    quarantine_per_hour: Positive = 100
    """Unreadable messages from one station in an hour."""
    site_offline_pct: Annotated[int, Field(ge=50, le=100)] = 80
    """So many of a station's devices silent at once are one alert for the site."""


class AlertSettings(Model):
    """When and how staff are told."""

    raise_delay_s: NotNegative = 10
    """A trouble must last so long before an alert opens."""
    clear_delay_s: NotNegative = 30
    """It must be gone for so long before the alert closes."""
    flap_hold_s: NotNegative = 900
    """An alert that came back stays open for so long after it cleared."""
    mute_when_closed: tuple[Kind, ...] = tuple(name for name in NAMES if SPECS[name].muted_when_closed)
    """Kinds whose alerts wait while the station is closed; safety can't be muted."""
    digest_min: Positive = 15
    """In a storm, what is beyond the cap is told once in so many minutes."""
    link_hours: Positive = 24
    """How long the link that acknowledges works."""
    dead_man_url: Annotated[HttpUrl | None, Field(repr=False)] = None
    """Address asked regularly while all is well; its owner tells you when we fall silent."""
    dead_man_interval_s: Seconds = 60
    """How often it is asked."""
    thresholds: Thresholds = Thresholds()
    """From where on something is an alert."""
    channels: tuple[Channel, ...] = ()
    """Ways to reach staff."""
    routes: tuple[RouteSettings, ...] = ()
    """Which alerts go where."""
