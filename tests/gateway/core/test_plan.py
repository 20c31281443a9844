"""What only the gateway can tell is wrong in a configuration."""

from config.schema import Settings
from gateway.core.plan import mistakes


def test_hours_that_cannot_be_evaluated_are_mistakes_wherever_they_stand() -> None:
    areas = [{"id": "a", "special_days": {"2026-12-31": "PH +1 day off"}}]
    settings = Settings.model_validate(
        {
            "stations": [{"id": "yanshan", "hours": "Mo-Fr 09:00-18:00; PH +1 day off", "areas": areas}],
            "alerts": {"routes": [{"channels": ["duty"], "hours": "2000-2200"}]},
        }
    )
    assert [path for path, _ in mistakes(settings)] == [
        ("alerts", "routes", 0, "hours"),
        ("stations", 0, "hours"),
        ("stations", 0, "areas", 0, "hours"),
    ]
