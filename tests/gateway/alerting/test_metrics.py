from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from gateway.alerting.metrics import AlertCollector
from tests.gateway.alerting.house import House


def test_alerts_in_figures(tmp_path: Path) -> None:
    house = House(tmp_path)
    registry = CollectorRegistry()
    registry.register(AlertCollector(tmp_path, lambda: house.now))
    assert b"mean" not in generate_latest(registry)
    house.send("pile-01", status="Faulted")
    house.wait(10)
    house.ask(lambda core, now: (core.desk.acknowledge(house.said[0].alert.id, "li", now), [], []))
    assert b"yizhan_alerts_acknowledged 1.0" in generate_latest(registry)
    house.send("pile-01", status="Available")
    house.wait(30)
    text = generate_latest(registry)
    assert b"yizhan_alerts_acknowledged 0.0" in text
    assert b"yizhan_alert_repair_seconds_mean 30.0" in text
    assert b"yizhan_alert_acknowledge_seconds_mean 0.0" in text
    house.close()


def test_without_a_store_there_are_no_figures(tmp_path: Path) -> None:
    assert list(AlertCollector(tmp_path, lambda: 0).collect()) == []
