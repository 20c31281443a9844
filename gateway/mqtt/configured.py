"""From the configuration to the broker that it names."""

import ssl

from config.files import read_secret
from config.schema import MqttEndpoint, Settings
from gateway.mqtt.client import Broker


def broker_of(settings: Settings) -> Broker:
    """Where the configured broker is. ConfigErrors were told before; a secret that vanished is an OSError."""
    mqtt = settings.mqtt
    endpoint: MqttEndpoint = mqtt.endpoint
    tls = None
    if endpoint.tls:
        tls = ssl.create_default_context(cafile=str(mqtt.ca_file) if mqtt.ca_file else None)
        if mqtt.cert_file is not None:
            tls.load_cert_chain(mqtt.cert_file, mqtt.key_file)
    password = read_secret(mqtt.password_file, "mqtt.password_file") if mqtt.password_file else None
    nodes = () if endpoint.embedded else mqtt.nodes
    version = 4 if endpoint.embedded else {"auto": 0, "5": 5, "3.1.1": 4}[mqtt.protocol]
    return Broker(endpoint.host, endpoint.port, tls, mqtt.username, password, version, nodes)
