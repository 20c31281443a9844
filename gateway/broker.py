"""The embedded broker: iotcore in a child process, on loopback only, ended with us."""

import logging
from typing import Any

from config.schema import Settings

log = logging.getLogger(__name__)

MAX_PAYLOAD = 20_480


class EmbeddedBroker:
    """Keeps nothing over a restart; devices send again what no watermark covers."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._broker: Any = None

    @classmethod
    def of(cls, settings: Settings) -> "EmbeddedBroker | None":
        """The one that the configuration asks for; None when it names another broker."""
        endpoint = settings.mqtt.endpoint
        return cls(endpoint.host, endpoint.port) if endpoint.embedded else None

    def start(self) -> None:
        """OSError with a clear text when the port is in use, RuntimeError when it does not come up."""
        from iotcore import Broker

        broker = Broker(port=self.port, listen=self.host, max_payload_size=MAX_PAYLOAD, max_inflight_count=100)
        try:
            broker.start()
        except OSError as error:
            raise OSError(
                f"{self.host}:{self.port} is in use, so the embedded broker can't have it: "
                "end the program there, or choose another port in mqtt.url (demo: --mqtt HOST:PORT)"
            ) from error
        self._broker = broker

    @property
    def running(self) -> bool:
        return self._broker is not None and bool(self._broker.is_running)

    def stop(self) -> None:
        if self._broker is not None:
            self._broker.stop()
