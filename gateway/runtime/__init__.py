"""Threads, queues, start and stop order, own counters."""

from gateway.runtime.between import UnchangedError
from gateway.runtime.gateway import Gateway
from gateway.runtime.parts import place_of
from gateway.runtime.status import Metrics, Status

__all__ = ["Gateway", "Metrics", "Status", "UnchangedError", "place_of"]
