"""The eight kinds: one file and one line each."""

from gateway.kinds import appliance, charger, door, locker, parking, room, safety, seat
from gateway.kinds.base import Facts, Kind
from gateway.model import KindName

__all__ = ["KINDS", "Facts", "Kind"]

KINDS: dict[KindName, Kind] = {
    "seat": seat,
    "room": room,
    "charger": charger,
    "door": door,
    "appliance": appliance,
    "locker": locker,
    "parking": parking,
    "safety": safety,
}
