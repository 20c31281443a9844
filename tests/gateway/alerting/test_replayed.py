import json
from pathlib import Path
from typing import Any

from config.schema import Settings
from gateway.alerting.replayed import ReplayedAlerts
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.core.replay import replay
from gateway.model import Message
from gateway.policy.hours import Openings
from tests.gateway.alerting.house import STATION, T0


def messages() -> list[Message]:
    """A pile breaks and is mended, a door is forced, a seat falls silent, a battery runs low."""
    said: list[tuple[int, str, dict[str, Any]]] = [
        (0, "seat-01/state", {"occupied": True, "battery_pct": 9}),
        (0, "pile-01/state", {"status": "Faulted", "error": "E07"}),
        (5, "door/event", {"type": "door_forced"}),
        (40, "pile-01/state", {"status": "Available"}),
        (200, "pile-01/state", {"status": "Available"}),
        (400, "pile-01/state", {"status": "Available"}),
    ]
    return [
        Message(f"yz/yanshan/{topic}".encode(), json.dumps({"boot": "b", "seq": seq, **body}).encode(), T0 + at * 1000)
        for seq, (at, topic, body) in enumerate(said, 1)
    ]


def run() -> list[bytes]:
    settings = Settings.model_validate({"stations": [STATION]}, context={"base": Path(), "check_files": False})
    live = build(settings, settings.stations, Openings(settings), T0)
    pipeline = Pipeline(live)
    pipeline.take()
    return list(replay(pipeline, messages(), ReplayedAlerts(settings, live)))


def test_a_recording_gives_its_alerts_each_at_its_moment_and_the_same_bytes_on_every_run() -> None:
    lines = run()
    assert lines == run()
    told = [json.loads(line) for line in lines if b'"alert"' in line]
    assert [(said["alert"]["kind"], said["action"], (said["at"] - T0) // 1000) for said in told] == [
        ("door_forced", "opened", 5),
        ("charger_fault", "opened", 10),
        ("battery_low", "opened", 10),
        ("charger_fault", "closed", 70),
        ("device_silent", "opened", 70),
    ]
