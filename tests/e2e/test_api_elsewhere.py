"""An API on a machine of its own, which has the replica alone, serves what an API beside the journals serves."""

from collections.abc import Iterator

import pytest

from tests.e2e.elsewhere import STATIONS, District, district
from tests.e2e.rig import MOSQUITTO
from tests.patience import until
from tests.postgres import servers

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    for made in servers():
        with district(tmp_path_factory.mktemp("district"), made) as house:
            for station in STATIONS:
                house.say(station, "pile", boot="a", seq=1, status="Faulted", energy_wh=1_000)
                house.say(station, "seat", boot="a", seq=1, occupied=True)
                house.say(station, "seat", boot="a", seq=2, occupied=False)
            until(lambda: house.here.alerts().keys() >= set(STATIONS), "alerts beside the journals")
            yield house


def test_alerts_and_history_are_there_as_beside_the_journals(running: District) -> None:
    until(lambda: running.there.alerts() == running.here.alerts(), "the same alerts")
    whole = "from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z"
    for path in [
        "/api/v1/alerts",
        *(f"/api/v1/stations/{station}/history?resource=seat&{whole}" for station in STATIONS),
    ]:
        here, there = running.here.ask(path), running.there.ask(path)
        assert (here.status, here.body) == (there.status, there.body), path
    assert not list((running.folder / "office/elsewhere").glob("gateway*"))
