"""The settings models. `Settings` is the whole tree; each section of the YAML has a file here."""

from config.schema.alerts import Alerts, Channel, ChannelKind, Route, Severity
from config.schema.api import Api, Display, Stream
from config.schema.base import DaySpan, HostPort, Kind, Reporting, parse_host_port
from config.schema.bridge import Bridge, Bus, Device, Protocol, Spool
from config.schema.gateway import (
    Calendar,
    Gateway,
    KindDefaults,
    KindSettings,
    Privacy,
    defaults_for,
)
from config.schema.mqtt import HomeAssistant, Mqtt, MqttEndpoint, parse_mqtt_url
from config.schema.settings import Settings
from config.schema.station import Area, Closure, Dialect, Location, Override, Partner, Resource, Source, Station
from config.schema.store import Influx, Retention, Store

__all__ = [
    "Alerts",
    "Api", "Area", "Bridge", "Bus", "Calendar", "Channel", "ChannelKind", "Closure", "DaySpan", "Device",
    "Dialect", "Display", "Gateway", "HomeAssistant", "HostPort", "Influx", "Kind", "KindDefaults", "KindSettings",
    "Location", "Mqtt", "MqttEndpoint", "Override", "Partner", "Privacy", "Protocol", "Reporting", "Resource",
    "Retention", "Route", "Settings", "Severity", "Source", "Spool", "Station", "Store", "Stream", "defaults_for",
    "parse_host_port", "parse_mqtt_url",
]  # fmt: skip
