"""What a station keeps for those who need it: medicine, umbrellas, water; counted, and good until a day."""

from config.kinds.base import KindSignal, KindSpec, Type

SPEC = KindSpec(
    name="supply",
    order=85,
    words=("便民物资", "便民物資", "Supplies"),
    icon="firstaid",
    home_assistant_icon="mdi:package-variant",
    signals=(
        KindSignal("level", "code", uses={"ok": "free", "low": "free", "out": "blocked"}),
        KindSignal("count", "count"),
        KindSignal("expires", "date"),
    ),
    facts={"count": "count", "level": "level", "expires": "expires"},
    main=("level", "count"),
    found_by=(),
    told_by=("level", "count"),
    types={
        "medicine": Type(("药品", "藥品", "Medicine"), "firstaid"),
        "umbrella": Type(("雨伞", "雨傘", "Umbrellas"), "locker"),
        "water": Type(("饮用水", "飲用水", "Drinking water"), "water"),
        "other": Type(("物资", "物資", "Supplies"), "locker"),
    },
    ttl_s=90_000,
    reporting="on_change",
    occupied_by_somebody=False,
    says={
        "usable": ("有货", "有貨", "In stock"),
        "unknown": ("待确认", "待確認", "Unconfirmed"),
        "blocked": ("缺货", "缺貨", "Out of stock"),
    },
)
