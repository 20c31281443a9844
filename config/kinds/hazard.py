"""A detector of smoke, gas, carbon monoxide, water or fire: it warns, or does not."""

from config.kinds.base import KindSpec, Signal, Type

SPEC = KindSpec(
    name="hazard",
    order=90,
    words=("安全报警", "安全警報", "Hazards"),
    icon="hazard",
    home_assistant_icon="mdi:alarm-light",
    # In history: blocked while it warns, reserved while it is tested (gateway/kinds/hazard).
    signals=(Signal("alarm", "flag", uses={"true": "blocked", "false": "free"}), Signal("test", "flag")),
    facts={"smoke": "alarm", "gas": "alarm", "co": "alarm", "leak": "alarm", "fire": "alarm", "test": "test"},
    main=("alarm", None),
    found_by=("smoke", "gas", "co", "leak", "fire"),
    types={
        "smoke": Type(("烟雾", "煙霧", "Smoke"), "hazard", told_by=("smoke",), rank=1),
        "gas": Type(("燃气泄漏", "燃氣洩漏", "Gas"), "hazard", told_by=("gas",), rank=2),
        "co": Type(("一氧化碳", "一氧化碳", "Carbon monoxide"), "hazard", told_by=("co",), rank=3),
        "leak": Type(("漏水", "漏水", "Water leak"), "hazard", told_by=("leak",), rank=4),
        "fire": Type(("火警", "火警", "Fire"), "hazard", told_by=("fire", "smoke"), rank=0),
    },
    usual_type="smoke",
    ttl_s=90_000,
    reporting="on_change",
    instrument=True,
    occupied_by_somebody=False,
    muted_when_closed=False,
    vital=True,
)
