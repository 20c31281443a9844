"""A counter of people at an entrance: totals inwards and outwards. What it says tells of persons."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="counter",
    order=110,
    words=("客流计数", "客流計數", "People counters"),
    icon="counter",
    home_assistant_icon="mdi:counter",
    signals=(KindSignal("in", "count"), KindSignal("out", "count")),
    facts={"in": "in", "out": "out"},
    main=("in", "in"),
    found_by=("in", "out"),
    told_by=("in", "out"),
    ttl_s=3_600,
    instrument=True,
    counts_people=True,
    tells_of_persons=True,
    occupied_by_somebody=False,
)
