"""The only room that talks to paho. One `Session` belongs to one thread; only `wake` may be called from others."""

from gateway.mqtt.session import Arrivals, Broker, Session, Will

__all__ = ["Arrivals", "Broker", "Session", "Will"]
