"""`mqtt:` and `homeassistant:`: the broker, and what we announce on it to others."""

from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from config.schema.base import DeviceId, File, HostPort, Model, MqttTopic, Seconds, is_loopback, wrong

_DEFAULT_PORTS = {"embedded": 1883, "mqtt": 1883, "mqtts": 8883}


class MqttEndpoint(NamedTuple):
    """Where the broker is. `embedded` means we run it ourselves, on loopback; its port may be 0 (a free one)."""

    embedded: bool
    tls: bool
    host: str
    port: int

    @property
    def exposed(self) -> bool:
        """Whether others than this machine can read and write along."""
        return not self.tls and not is_loopback(self.host)

    def __str__(self) -> str:
        return str(HostPort(self.host, self.port))


def parse_mqtt_url(text: str) -> MqttEndpoint:
    """MqttEndpoint of `embedded://`, `mqtt://` or `mqtts://host:port`. ValueError names the mend."""
    if "," in text:
        raise wrong("holds a comma", "write several addresses as a list: [mqtt://one:1883, mqtt://two:1883]")
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


def _one_cluster(urls: tuple[str, ...]) -> tuple[str, ...]:
    """They lead to the same broker, by the same kind of line, each once."""
    endpoints = [parse_mqtt_url(url) for url in urls]
    if not endpoints:
        raise wrong("names no broker", "write an address, or leave the line out")
    if len(endpoints) > 1 and any(endpoint.embedded for endpoint in endpoints):
        raise wrong("names the embedded broker and others", "it stands alone: write embedded://… or the others")
    if len({endpoint.tls for endpoint in endpoints}) > 1:
        raise wrong("mixes mqtt:// and mqtts://", "a broker that fails must not open the line: write mqtts:// for all")
    for at, endpoint in enumerate(endpoints):
        if endpoint in endpoints[:at]:
            raise wrong(f"names {endpoint} twice", "write each address once")
    return urls


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _written(urls: tuple[str, ...]) -> str | list[str]:
    return urls[0] if len(urls) == 1 else list(urls)


BrokerUrl = Annotated[str, AfterValidator(_checked)]
BrokerUrls = Annotated[
    tuple[BrokerUrl, ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    AfterValidator(_one_cluster),
    PlainSerializer(_written, when_used="json"),
]
"""One address, or those of the nodes of a cluster, which keep the same sessions."""


class Mqtt(Model):
    """The connection to the broker."""

    url: BrokerUrls = ("embedded://127.0.0.1:1883",)
    """Broker: embedded://127.0.0.1:1883 (ours, loopback only), mqtt://host:1883 or mqtts://host:8883; or the nodes of a
    cluster as a list: when one can't be reached, the next is taken at once."""
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
        """The first address."""
        return self.endpoints[0]

    @property
    def endpoints(self) -> tuple[MqttEndpoint, ...]:
        """The parsed `url`."""
        return tuple(map(parse_mqtt_url, self.url))


class HomeAssistant(Model):
    """Announcing our resources to a Home Assistant on the same broker."""

    announce: bool = False
    """Publish each resource by Home Assistant's device discovery."""
    prefix: MqttTopic = "homeassistant"
    """Discovery prefix that Home Assistant listens on."""
