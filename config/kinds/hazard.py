"""A detector of smoke, gas, carbon monoxide, water or fire: it warns, or does not."""

from config.kinds.base import KindSignal, KindSpec, Type

SPEC = KindSpec(
    name="hazard",
    order=90,
    words=("安全报警", "安全警報", "Hazards"),
    icon="hazard",
    home_assistant_icon="mdi:alarm-light",
    # In history: blocked while it warns, reserved while it is tested (gateway/kinds/hazard).
    signals=(KindSignal("alarm", "flag", uses={"true": "blocked", "false": "free"}), KindSignal("test", "flag")),
    facts={"smoke": "alarm", "gas": "alarm", "co": "alarm", "leak": "alarm", "fire": "alarm", "test": "test"},
    main=("alarm", None),
    found_by=("smoke", "gas", "co", "leak", "fire"),
    types={
        "smoke": Type(
            ("烟雾", "煙霧", "Smoke"), "hazard", ("烟雾报警", "煙霧警報", "Smoke alarm"), told_by=("smoke",), rank=1
        ),
        "gas": Type(
            ("燃气泄漏", "燃氣洩漏", "Gas"),
            "hazard",
            ("燃气泄漏报警", "燃氣洩漏警報", "Gas alarm"),
            told_by=("gas",),
            rank=2,
        ),
        "co": Type(
            ("一氧化碳", "一氧化碳", "Carbon monoxide"),
            "hazard",
            ("一氧化碳报警", "一氧化碳警報", "Carbon monoxide alarm"),
            told_by=("co",),
            rank=3,
        ),
        "leak": Type(
            ("漏水", "漏水", "Water leak"), "hazard", ("漏水报警", "漏水警報", "Water leak"), told_by=("leak",), rank=4
        ),
        "fire": Type(
            ("火警", "火警", "Fire"), "hazard", ("火警", "火警", "Fire alarm"), told_by=("fire", "smoke"), rank=0
        ),
    },
    usual_type="smoke",
    ttl_s=90_000,
    reporting="on_change",
    instrument=True,
    occupied_by_somebody=False,
    muted_when_closed=False,
    vital=True,
    says={
        "thing": ("探测器", "探測器", "Detector"),
        "alarm": ("安全报警", "安全警報", "Hazard alarm"),
        "leave": ("请立即离开，并拨打\u00a0119", "請立即離開，並撥打\u00a0119", "Leave now and call\u00a0119"),
        "wet": ("地面有水，请绕行", "地面有水，請繞行", "Water on the floor, keep away"),
    },
)
