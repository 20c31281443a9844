"""`uplink:` and `uplinks:`: a box that tells a centre, and a centre that hears boxes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.rings import Ring
from config.schema.base import DeviceId, File, Model, wrong
from config.schema.mqtt import BrokerUrls, MqttEndpoint, parse_mqtt_url


def _outward(urls: tuple[str, ...]) -> tuple[str, ...]:
    if any(parse_mqtt_url(url).embedded for url in urls):
        raise wrong("the embedded broker is our own", "write mqtts://host:8883, the broker of the centre")
    return urls


class Uplink(Model):
    """This box tells a centre all that it accepts."""

    id: DeviceId | None = None
    """Name of this box; by default the id of its first station."""
    url: Annotated[BrokerUrls, AfterValidator(_outward)]
    """Broker of the centre: mqtts://host:8883, or mqtt://host:1883 on a line that nobody else reads; or the nodes of
    its cluster as a list."""
    username: str | None = None
    """Login name at that broker."""
    password_file: File | None = None
    """File with the password for `username`."""
    ca_file: File | None = None
    """PEM file of the authority that signed the broker's certificate (mqtts; default: the system's)."""
    cert_file: File | None = None
    """PEM file of our client certificate (mqtts)."""
    key_file: File | None = None
    """PEM file of the client certificate's key (mqtts)."""
    command_key_file: File | None = None
    """File with the key of the centre's commands; without it nothing that the centre says is obeyed."""
    confirm: Literal["box", "centre"] = "box"
    """When a device may forget a message: box, once it is durable here; centre, once it is durable there, too."""
    alerts: Literal["box", "centre"] = "box"
    """Who tells people of the alerts of this box's stations: box, or centre while it can be reached."""
    ring: Ring | None = None
    """Which boxes get a new version before others: ring0, ring1, then stable; default: by the name of this box."""
    messages_per_s: Annotated[int, Field(ge=10, le=100_000)] = 8000
    """Highest rate of what lies behind; what is live goes first."""

    @property
    def endpoints(self) -> tuple[MqttEndpoint, ...]:
        """The parsed `url`."""
        return tuple(map(parse_mqtt_url, self.url))


class Uplinks(Model):
    """Which boxes this centre hears."""

    accept: tuple[DeviceId, ...] = ()
    """Boxes that may tell us of stations; those that we configure ourselves need not stand here."""
