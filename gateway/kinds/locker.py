"""Parcel lockers: compartments, counted as units."""

from gateway.kinds.units import WATCHED, Shape, Value, apply, due, event

__all__ = ["WATCHED", "Shape", "Value", "apply", "due", "event"]
