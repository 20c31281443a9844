"""Parcel lockers: compartments, counted as units."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="locker",
    order=60,
    words=("储物柜", "儲物櫃", "Lockers"),
    icon="locker",
    home_assistant_icon="mdi:locker-multiple",
    signals=(KindSignal("free", "count"), KindSignal("total", "count")),
    facts={"free": "free", "total": "total"},
    main=("free", "free"),
    found_by=("free",),
    told_by=("free",),
    ttl_s=600,
    counted_in_units=True,
    groups_on_pages=True,
    alert_when_full="locker_full",
    says={
        "one": ("储物柜", "儲物櫃", "Locker"),
        "unit": ("格", "格", "boxes"),
        "col": ("储物", "儲物", "Locker"),
    },
)
