"""A door: free means that one can come in. A locked door opens by card, so `locked` alone does not block it."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="door",
    order=40,
    words=("门", "門", "Door"),
    icon="card",
    home_assistant_icon="mdi:door",
    signals=(KindSignal("open", "flag"), KindSignal("locked", "flag")),
    facts={"open": "open", "locked": "locked"},
    main=("open", None),
    found_by=("open", "locked"),
    told_by=("open", "locked"),
    tells_of_persons=True,
    occupied_by_somebody=False,
    muted_when_closed=False,
    entrance=True,
    fault_alert="reader_dead",
    says={"usable": ("可进入", "可進入", "Door works")},
)
