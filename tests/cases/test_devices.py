"""Devices as they are: small inputs after public bug reports, each through the real core with the right answer."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.schema import Settings
from gateway.alerts import signals as alert_signals
from gateway.alerts.doubts import facts_of_verdict
from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.model import Message

FOLDER = Path(__file__).parents[1] / "vectors" / "cases" / "devices"
NOON = 1_795_953_600_000
CASES = sorted(FOLDER.glob("*.json"))


class House:
    """The case's station, its core and all that came of the messages. Numbers among them are seconds that pass."""

    def __init__(self, case: dict[str, Any]) -> None:
        resources = [yaml.safe_load(line) for line in case["resources"]]
        area = {"id": "a", "name": {"zh": "厅"}, "resources": resources}
        station = {"id": "st", "name": {"zh": "站"}, "areas": [area]}
        self.settings = Settings.model_validate({"stations": [station]})
        self.now = NOON
        self.live = plan.build(self.settings, self.settings.stations, lambda *_: None, self.now)
        self.core = Pipeline(self.live, plan.foreign(self.settings, self.live))
        self.stored: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        for step in case["messages"]:
            if isinstance(step, int | float):
                self.wait(step)
            else:
                self.hear(step[0], step[1])
        self.wait(case.get("wait", 0))

    def hear(self, topic: str, said: Any) -> None:
        """As mosquitto sends it to somebody who has subscribed before: never marked as retained."""
        self.core.handle(Message(topic.encode(), self.bytes_of(said), self.now), self.now)
        self.collect()

    def bytes_of(self, said: Any) -> bytes:
        if isinstance(said, str):
            return said.encode()
        if "hex" in said:
            return bytes.fromhex(said["hex"])
        return json.dumps(said["body"] | {"ts": self.now - said["late_s"] * 1000}).encode()

    def wait(self, seconds: float) -> None:
        end = self.now + round(seconds * 1000)
        while (due := self.live.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.core.tick(self.now)
        self.now = end
        self.core.tick(self.now)
        self.collect()

    def collect(self) -> None:
        outcome = self.core.take()
        self.stored += [
            (topic.decode(), json.loads(payload))
            for topic, payload in zip(outcome.batch.topics, outcome.batch.payloads, strict=True)
            if payload[:1] == b"{"
        ]
        self.refused += [message.reason for message in outcome.rejected]

    def last(self, device: str) -> dict[str, Any]:
        return next(data for topic, data in reversed(self.stored) if topic == f"yz/st/{device}/state")

    def shown(self, name: str, resource: str) -> Any:
        facts = next(facts for facts in self.live.stations["st"].facts() if facts.resource.id == resource)
        return getattr(facts.axes, name)

    def alerts(self) -> Iterator[str]:
        """What signals and the judge of evidence would have told."""
        said: dict[str, dict[str, Any]] = {}
        for topic, data in self.stored:
            if topic.endswith("/state"):
                said.setdefault(topic.split("/")[2], {}).update(data)
        for facts in self.live.stations["st"].facts():
            have = said.get(facts.resource.device, {})
            for fact in alert_signals.facts_of_signals(facts.resource, have, self.now, alert_signals.Limits()):
                if fact.holds:
                    yield fact.kind
            yield from (fact.kind for fact in facts_of_verdict(facts, self.now) if fact.holds)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_reported_message_is_read_as_its_device_meant_it(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    caplog.set_level(logging.INFO)
    house = House(case)
    want = case["want"]
    for name in ("use", "evidence"):
        for resource, value in want.get(name, {}).items():
            assert house.shown(name, resource) == value
    for resource, value in want.get("usable_not", {}).items():
        assert house.shown("usable", resource) != value
    for device, fields in want.get("stored_last", {}).items():
        assert house.last(device).items() >= fields.items()
    for device, fields in want.get("stored_exact", {}).items():
        assert house.last(device) == fields
    if want.get("no_quarantine"):
        assert house.refused == []
    if "no_alert" in want:
        assert want["no_alert"] not in list(house.alerts())
    if "events_at_most" in want:
        assert sum(topic.endswith("/event") for topic, _ in house.stored) <= want["events_at_most"]
    if "log_names" in want:
        assert want["log_names"] in caplog.text


def test_every_answer_that_a_case_wants_is_looked_at() -> None:
    known = {"use", "evidence", "usable_not", "stored_last", "stored_exact", "no_quarantine", "no_alert",
             "events_at_most", "log_names"}  # fmt: skip
    wanted = {name for path in CASES for name in json.loads(path.read_text(encoding="utf-8"))["want"]}
    assert len(CASES) == 24
    assert wanted == known
