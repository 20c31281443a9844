"""What is true now: evidence, deadlines, changes, documents. Pure: no I/O, no clock, no threads."""

from gateway.evidence.seen import Seen, SeqVerdict
from gateway.live.document import document
from gateway.live.places import ALWAYS, Area, Device, PlaceOpening, Station
from gateway.live.state import Live

__all__ = ["ALWAYS", "Area", "Device", "Live", "PlaceOpening", "Seen", "SeqVerdict", "Station", "document"]
