"""The settings models. `Settings` is the whole tree; each section of the YAML has a file here."""

from config.schema.alerts import AlertSettings, Channel, ChannelKind, RouteSettings, Severity
from config.schema.api import Api, Display, Stream
from config.schema.base import DaySpan, HostPort, Kind, Reporting, parse_host_port
from config.schema.bridge import Bridge, BusSettings, DeviceSettings, Protocol, SpoolSettings
from config.schema.gateway import (
    Calendar,
    GatewaySettings,
    KindDefaults,
    KindSettings,
    Privacy,
    defaults_for,
)
from config.schema.mqtt import HomeAssistant, Mqtt, MqttEndpoint, parse_mqtt_url
from config.schema.ocpi import Ocpi, OcpiConnector, OcpiPartner
from config.schema.rounds import CheckSettings
from config.schema.settings import Settings
from config.schema.staff import LoginProvider, StaffLogin, StaffMember
from config.schema.station import (
    AreaSettings,
    Closure,
    Dialect,
    Location,
    OverrideSettings,
    PartnerSettings,
    ResourceSettings,
    SourceSettings,
    StationSettings,
    WrittenCalendar,
)
from config.schema.store import Influx, Retention, StoreSettings

__all__ = [
    "AlertSettings", "Api", "AreaSettings", "Bridge", "BusSettings", "Calendar", "Channel", "ChannelKind",
    "CheckSettings", "Closure", "DaySpan", "DeviceSettings", "Dialect", "Display", "GatewaySettings",
    "HomeAssistant", "HostPort", "Influx", "Kind", "KindDefaults", "KindSettings", "Location", "LoginProvider", "Mqtt",
    "MqttEndpoint", "Ocpi", "OcpiConnector", "OcpiPartner", "OverrideSettings", "PartnerSettings", "Privacy",
    "Protocol", "Reporting", "ResourceSettings",
    "Retention", "RouteSettings", "Settings", "Severity", "SourceSettings", "SpoolSettings", "StaffLogin",
    "StaffMember", "StationSettings",
    "StoreSettings", "Stream", "WrittenCalendar", "defaults_for", "parse_host_port", "parse_mqtt_url",
]  # fmt: skip
