"""Opening hours: OSM expressions, the official calendar, closures and special days → open, closed or unknown."""

from gateway.policy.hours.configured import Openings, composed, depends_on_notices, notices_of
from gateway.policy.hours.expression import Expression, problem
from gateway.policy.hours.official import published, unpublished_year
from gateway.policy.hours.opening import Opening, OpenState

__all__ = [
    "Expression",
    "OpenState",
    "Opening",
    "Openings",
    "composed",
    "depends_on_notices",
    "notices_of",
    "problem",
    "published",
    "unpublished_year",
]
