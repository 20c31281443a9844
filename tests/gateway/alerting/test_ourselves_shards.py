"""What is told of other shards becomes one alert for each that is gone, with its end."""

from pathlib import Path

from gateway.alerting.ourselves import Ourselves
from tests.gateway.alerting.house import House


def told(house: House, gone: bool | None) -> None:
    house.ourselves = Ourselves(shards=(("gateway-2of2", gone, "north, south"),))
    house.wait(60)


def opened(house: House) -> list[tuple[str, str]]:
    return [(event.action, event.alert.subject) for event in house.said if event.alert.kind == "shard_away"]


def test_a_shard_that_is_gone_is_one_alert_with_its_end(tmp_path: Path) -> None:
    house = House(tmp_path)
    told(house, None)
    assert opened(house) == []
    told(house, True)
    told(house, True)
    assert opened(house) == [("opened", "gateway-2of2")]
    told(house, None)
    assert opened(house) == [("opened", "gateway-2of2")], "what is not known ends nothing"
    told(house, False)
    assert opened(house) == [("opened", "gateway-2of2"), ("closed", "gateway-2of2")]
    house.close()
