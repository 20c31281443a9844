"""Parcel lockers: compartments, counted as units."""

from gateway.kinds.units import Shape, apply, due, event

__all__ = ["Shape", "apply", "due", "event"]
