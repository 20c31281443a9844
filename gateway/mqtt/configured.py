"""From the configuration to the broker that it names."""

import ssl
from dataclasses import replace

from config.files import read_secret
from config.schema import Mqtt, Settings
from config.schema.base import HostPort
from config.schema.uplink import Uplink
from gateway.mqtt.client import Broker


def broker_of(settings: Settings) -> Broker:
    """Where the configured broker is; of several nodes any first. ConfigErrors were told before; a secret that vanished
    is an OSError.
    """
    mqtt = settings.mqtt
    version = 4 if mqtt.endpoint.embedded else {"auto": 0, "5": 5, "3.1.1": 4}[mqtt.protocol]
    return replace(_broker(mqtt, "mqtt"), version=version)


def broker_of_centre(uplink: Uplink) -> Broker:
    """Where the centre's broker is; of several nodes any first. OSError for a secret that vanished."""
    return _broker(uplink, "uplink")


def _broker(section: Mqtt | Uplink, name: str) -> Broker:
    """`name` is that of the section in the configuration."""
    endpoints, tls = section.endpoints, None
    if endpoints[0].tls:  # of all, or of none
        tls = ssl.create_default_context(cafile=str(section.ca_file) if section.ca_file else None)
        if section.cert_file is not None:
            tls.load_cert_chain(section.cert_file, section.key_file)
    password = read_secret(section.password_file, f"{name}.password_file") if section.password_file else None
    first, *others = [HostPort(endpoint.host, endpoint.port) for endpoint in endpoints]
    return Broker(first.host, first.port, tls, section.username, password, others=tuple(others)).anywhere()
