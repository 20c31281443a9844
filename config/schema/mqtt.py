"""`mqtt:` and `homeassistant:`: the broker, and what we announce on it to others."""

from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config.schema.base import DeviceId, File, HostPort, Listen, Model, MqttTopic, Seconds, is_loopback, wrong

_DEFAULT_PORTS = {"embedded": 1883, "mqtt": 1883, "mqtts": 8883}


class MqttEndpoint(NamedTuple):
    """Where the broker is. `embedded` means we run it ourselves, on loopback; its port may be 0 (a free one)."""

    embedded: bool
    tls: bool
    host: str
    port: int


def parse_mqtt_url(text: str) -> MqttEndpoint:
    """MqttEndpoint of `embedded://`, `mqtt://` or `mqtts://host:port`. ValueError names the mend."""
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise wrong("the port is not a number from 0 to 65535", "write it like mqtt://host:1883") from None
    if scheme not in _DEFAULT_PORTS or not host or parts.path.strip("/") or parts.query:
        raise wrong("is no broker address", "write embedded://127.0.0.1:1883, mqtt://host:1883 or mqtts://host:8883")
    if parts.username is not None or parts.password is not None:
        raise wrong("holds a login", "put the name into username and the password into password_file")
    embedded = scheme == "embedded"
    if embedded and not is_loopback(host):
        raise wrong("the embedded broker listens on loopback only", "write embedded://127.0.0.1:1883")
    if port == 0 and not embedded:
        raise wrong("port 0 is out of range", "take one from 1 to 65535")
    return MqttEndpoint(embedded, scheme == "mqtts", host, _DEFAULT_PORTS[scheme] if port is None else port)


def _checked(text: str) -> str:
    parse_mqtt_url(text)
    return text


def _nodes(nodes: tuple[HostPort, ...]) -> tuple[HostPort, ...]:
    if any(node.port == 0 for node in nodes):
        raise wrong("port 0 is out of range", "take one from 1 to 65535")
    return nodes


class Mqtt(Model):
    """The connection to the broker."""

    url: Annotated[str, AfterValidator(_checked)] = "embedded://127.0.0.1:1883"
    """Broker: embedded://127.0.0.1:1883 (ours, loopback only), mqtt://host:1883 or mqtts://host:8883."""
    nodes: Annotated[tuple[Listen, ...], AfterValidator(_nodes)] = ()
    """Further nodes of the same broker cluster, as host:port: the next is tried when one can't be reached."""
    username: str | None = None
    """Login name at the broker."""
    password_file: File | None = None
    """File with the password for `username`."""
    ca_file: File | None = None
    """PEM file of the authority that signed the broker's certificate (mqtts; default: the system's)."""
    cert_file: File | None = None
    """PEM file of our client certificate (mqtts)."""
    key_file: File | None = None
    """PEM file of the client certificate's key (mqtts)."""
    command_key_file: File | None = None
    """File with the key that commands on `yz-cmd` are signed with (default: `command.key` in `store.path`)."""
    client_id: DeviceId | None = None
    """Client id at the broker; by default yizhan- and the id of the gateway or the bridge."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """MQTT version; auto speaks 5 where the broker does, else 3.1.1."""
    keepalive_s: Annotated[int, Field(ge=4, le=3600)] = 15
    """Seconds between signs of life; a dead connection is noticed after at most twice that."""
    session_expiry_s: Seconds = 604_800
    """How long the broker keeps our session and its queue while we are away."""
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 5000
    """Messages the broker may send before we acknowledge (MQTT 5)."""
    reconnect_max_s: Seconds = 30
    """Longest pause between two attempts to connect."""
    fast: Literal["auto", "off"] = "auto"
    """Receive path: auto takes the fast one where it fits the installed paho, off the plain one."""

    @property
    def endpoint(self) -> MqttEndpoint:
        """The parsed `url`."""
        return parse_mqtt_url(self.url)


class HomeAssistant(Model):
    """Announcing our resources to a Home Assistant on the same broker."""

    announce: bool = False
    """Publish each resource by Home Assistant's device discovery."""
    prefix: MqttTopic = "homeassistant"
    """Discovery prefix that Home Assistant listens on."""
