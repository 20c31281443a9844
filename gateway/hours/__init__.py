"""Opening hours: OSM expressions, the official calendar, closures and special days → open, closed or unknown."""

from gateway.hours.configured import Openings, composed
from gateway.hours.expression import Expression, problem
from gateway.hours.official import published
from gateway.hours.opening import Opening, OpenState

__all__ = ["Expression", "OpenState", "Opening", "Openings", "composed", "problem", "published"]
