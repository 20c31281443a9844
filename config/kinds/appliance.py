"""A microwave, water dispenser, massage chair: idle, running or out of order."""

from config.kinds.base import FromPower, KindSignal, KindSpec, Type

SPEC = KindSpec(
    name="appliance",
    order=50,
    words=("设备", "設備", "Appliance"),
    icon="plug",
    home_assistant_icon="mdi:microwave",
    signals=(
        KindSignal("status", "code", uses={"idle": "free", "running": "occupied", "fault": "unknown"}),
        KindSignal("power_w", "number", "W"),
    ),
    facts={"power_w": "power_w", "relay": "relay", "status": "status"},
    main=("status", "power_w"),
    found_by=("power_w",),
    types={
        "microwave": Type(("微波炉", "微波爐", "Microwave"), "microwave", running_above_w=15.0),
        "water": Type(("饮水机", "飲水機", "Water"), "water", running_above_w=15.0, usable=("可用", "可用", "Working")),
        "massage": Type(("按摩椅", "按摩椅", "Massage"), "massage", running_above_w=10.0),
        "other": Type(("设备", "設備", "Appliance"), "plug"),
    },
    usual_type="other",
    one_at_a_time=True,
    proves_entry=True,
    from_power=FromPower("running", "idle", "fault"),
    doubts=("running_without_power", "power_while_free", "runs_for_hours", "frozen"),
)
