"""Parking for couriers' bikes or cars: bays, counted as units. A sensor of one bay says whether it is taken."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="parking",
    order=70,
    words=("停车位", "停車位", "Parking"),
    icon="parking",
    home_assistant_icon="mdi:parking",
    signals=(KindSignal("free", "count"), KindSignal("total", "count")),
    facts={"free": "free", "total": "total", "presence": "bay"},
    main=("bay", "free"),
    found_by=("presence", "free"),
    told_by=("free",),
    counted_in_units=True,
    groups_on_pages=True,
    says={"unit": ("位", "位", "bays"), "col": ("停车", "停車", "Park")},
)
