"""Opening hours: OSM expressions, the official calendar, closures and special days → open, closed or unknown."""

from gateway.policy.hours.configured import Openings, composed
from gateway.policy.hours.expression import Expression, problem
from gateway.policy.hours.official import published
from gateway.policy.hours.opening import Opening, OpenState

__all__ = ["Expression", "OpenState", "Opening", "Openings", "composed", "problem", "published"]
