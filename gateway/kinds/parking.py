"""Parking for couriers' bikes or cars: bays, counted as units."""

from gateway.kinds.units import WATCHED, Shape, Value, apply, due, event

__all__ = ["WATCHED", "Shape", "Value", "apply", "due", "event"]
