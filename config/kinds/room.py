"""A room: full at its capacity; without a capacity, taken while anybody is in it."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="room",
    order=20,
    words=("活动室", "活動室", "Rooms"),
    icon="room",
    home_assistant_icon="mdi:account-group",
    signals=(KindSignal("people", "count"), KindSignal("occupied", "flag")),
    facts={"presence": "occupied", "people": "people"},
    main=("occupied", "people"),
    found_by=("presence", "people"),
    told_by=("people", "occupied"),
    tells_of_persons=True,
    holds_people=True,
    doubts=("occupied_though_nobody_is_about",),
)
