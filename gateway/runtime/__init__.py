"""Threads, queues, start and stop order, own counters."""

from gateway.runtime.between import RefusedError
from gateway.runtime.gateway import Gateway
from gateway.runtime.parts import place_of
from gateway.runtime.status import Metrics, Status

__all__ = ["Gateway", "Metrics", "RefusedError", "Status", "place_of"]
