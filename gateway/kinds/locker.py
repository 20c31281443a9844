"""Parcel lockers: compartments, counted as units."""

from gateway.kinds.units import WATCHED, Shape, apply, due, event

__all__ = ["WATCHED", "Shape", "apply", "due", "event"]
