"""The only room that talks to paho. One `Session` belongs to one thread; only `wake` may be called from others."""

from gateway.mqtt.client import Broker, Will
from gateway.mqtt.reader import Arrivals
from gateway.mqtt.session import Session

__all__ = ["Arrivals", "Broker", "Session", "Will"]
