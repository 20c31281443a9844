"""One alert and its deliveries, for tests that only need some."""

from dataclasses import replace

from gateway.alerts.places import Places
from gateway.alerts.words import Alert, Delivery

T0 = 1_800_000_000_000

ALERT = Alert(
    "a1", "yanshan", "pile-01", "pile-01", "charger_fault", "warning", "open",
    T0 - 720_000, T0 - 710_000, T0 - 710_000, "GroundFailure", {"device": "pile-01"},
)  # fmt: skip
CLOSED = replace(ALERT, state="closed", changed_at=T0, closed_by="sensor")
PLACES = Places(
    stations={"yanshan": {"zh": "雁山驿站", "en": "Yanshan"}},
    regions={"yanshan": ("广东", "江门")},
    zones={"yanshan": "Asia/Shanghai"},
    resources={("yanshan", "pile-01"): {"zh": "一号桩"}},
    areas={("yanshan", "pile-01"): {"zh": "车棚", "en": "Yard"}},
    kinds={("yanshan", "pile-01"): "charger"},
)


def delivery(
    name: str = "d1", channel: str = "duty", alert: Alert = ALERT, action: str = "opened", at: int = T0
) -> Delivery:
    return Delivery(name, channel, alert, action, at, at)
