"""The air of a room: temperature, humidity, carbon dioxide, fine dust, light."""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="climate",
    order=100,
    words=("室内环境", "室內環境", "Climate"),
    icon="climate",
    home_assistant_icon="mdi:thermometer",
    signals=(
        KindSignal("temperature_c", "number", "Cel"),
        KindSignal("humidity_pct", "number", "%"),
        KindSignal("co2_ppm", "number", "[ppm]"),
        KindSignal("pm25_ugm3", "number", "ug/m3"),
        KindSignal("illuminance_lx", "number", "lx"),
    ),
    facts={
        "temperature_c": "temperature_c",
        "humidity_pct": "humidity_pct",
        "co2_ppm": "co2_ppm",
        "pm25_ugm3": "pm25_ugm3",
        "illuminance_lx": "illuminance_lx",
    },
    main=("temperature_c", "temperature_c"),
    found_by=("temperature_c", "humidity_pct", "co2_ppm", "pm25_ugm3"),
    told_by=("temperature_c", "humidity_pct", "co2_ppm", "pm25_ugm3", "illuminance_lx"),
    ttl_s=3_600,
    instrument=True,
    occupied_by_somebody=False,
)
