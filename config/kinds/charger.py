"""A charging point, told by OCPP 1.6 ChargePointStatus. Charged but still plugged in is occupied."""

from config.kinds.base import FromPower, KindSignal, KindSpec, Load, Type

SPEC = KindSpec(
    name="charger",
    order=30,
    words=("充电", "充電", "Charging"),
    icon="plug",
    home_assistant_icon="mdi:ev-station",
    signals=(
        KindSignal(
            "status",
            "code",
            uses={
                "Available": "free",
                "Preparing": "occupied",
                "Charging": "occupied",
                "SuspendedEVSE": "occupied",
                "SuspendedEV": "occupied",
                "Finishing": "occupied",
                "Reserved": "reserved",
                "Unavailable": "blocked",  # set inoperative by its operator
                "Faulted": "unknown",
                "Occupied": "occupied",  # the word of OCPP 2.0.1 for what 1.6 tells in five
                "Unknown": "unknown",  # the operator of the pile does not know it either
            },
        ),
        KindSignal("power_w", "number", "W"),
        KindSignal("energy_wh", "number", "W.h"),
        KindSignal("error", "text"),
    ),
    facts={"power_w": "power_w", "relay": "relay", "status": "status", "energy_wh": "energy_wh", "error": "error"},
    main=("status", "power_w"),
    found_by=("status", "power_w"),
    # Low, so that a full battery still plugged in counts as taken rather than free.
    types={
        "phone": Type(
            ("手机充电", "手機充電", "Phone charging"),
            "phone",
            ("手机", "手機", "Phone"),
            2.0,
            Load(0.3, 3),
            thing=("手机充电口", "手機充電口", "Phone charger"),
            most_w=2_000,
            rank=3,
        ),
        "ebike": Type(
            ("电动车充电", "電動車充電", "E-bike charging"),
            "ebike",
            ("电动车", "電動車", "E-bike"),
            5.0,
            Load(4, 15),
            most_w=10_000,
            rank=1,
            indoors=False,
        ),
        "ev": Type(
            ("汽车充电", "汽車充電", "Car charging"),
            "ev",
            ("汽车", "汽車", "Car"),
            50.0,
            Load(30, 50),
            thing=("汽车充电桩", "汽車充電樁", "Car charger"),
            rank=2,
            indoors=False,
        ),
    },
    usual_type="ebike",
    ttl_s=180,
    one_at_a_time=True,
    proves_entry=True,
    metered=True,
    groups_on_pages=True,
    fault_alert="charger_fault",
    from_power=FromPower("Charging", "Available", "Unavailable"),
    doubts=("charging_without_power", "power_while_free", "power_while_out_of_order", "meter_stands_still", "frozen"),
    says={"thing": ("充电桩", "充電樁", "Charger"), "unit": ("桩", "樁", "points"), "col": ("充电", "充電", "Charge")},
)
