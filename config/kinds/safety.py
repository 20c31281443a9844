"""An AED or first-aid box: free while ready and in its cabinet."""

from config.kinds.base import KindSignal, KindSpec, Type

SPEC = KindSpec(
    name="safety",
    order=80,
    words=("急救", "急救", "Safety"),
    icon="firstaid",
    home_assistant_icon="mdi:heart-flash",
    signals=(KindSignal("ready", "flag"), KindSignal("expires", "date"), KindSignal("cabinet_open", "flag")),
    facts={"ready": "ready", "open": "cabinet_open", "expires": "expires"},
    main=("ready", None),
    found_by=("open", "ready"),
    told_by=("ready", "cabinet_open"),
    types={
        "aed": Type(("AED", "AED", "Defibrillator"), "aed"),
        "first_aid": Type(("急救箱", "急救箱", "First aid"), "firstaid"),
    },
    ttl_s=90_000,
    reporting="on_change",
    occupied_by_somebody=False,
    muted_when_closed=False,
    vital=True,
    fault_alert="safety_not_ready",
    says={
        "usable": ("就绪", "就緒", "Ready"),
        "unknown": ("待确认", "待確認", "Unconfirmed"),
        "blocked": ("不可用", "不可用", "Not ready"),
    },
)
