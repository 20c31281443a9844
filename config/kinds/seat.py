"""A seat: somebody sits there or nobody does."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="seat",
    order=10,
    words=("座位", "座位", "Seats"),
    icon="seat",
    home_assistant_icon="mdi:seat",
    signals=(KindSignal("occupied", "flag", uses={"true": "occupied", "false": "free"}),),
    facts={"presence": "occupied", "people": "occupied"},
    main=("occupied", None),
    found_by=("presence",),
    ttl_s=180,
    one_at_a_time=True,
    proves_entry=True,
    groups_on_pages=True,
    doubts=("occupied_though_nobody_is_about", "frozen"),
    says={
        "one": ("座位", "座位", "Seat"),
        "free": ("空座", "空座", "Free seats"),
        "unit": ("座", "座", "seats"),
        "col": ("空座", "空座", "Seats"),
    },
)
