"""Parking for couriers' bikes or cars: bays, counted as units."""

from gateway.kinds.units import Shape, apply, due, event

__all__ = ["Shape", "apply", "due", "event"]
