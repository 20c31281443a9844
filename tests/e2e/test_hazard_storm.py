"""While every station storms each word of smoke comes, alone and as what it is; the rest is capped and folded."""

from pathlib import Path

import pytest

from tests.e2e.hazard_storm import smoke_everywhere, stormed
from tests.e2e.rig import MOSQUITTO

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]
STATIONS = 25


@pytest.mark.slow
def test_each_word_of_smoke_comes_alone_while_everything_storms(tmp_path: Path) -> None:
    with stormed(tmp_path, STATIONS) as (client, provider, told):
        smoke_everywhere(client, told, STATIONS)
        said = [request.json for request in provider.requests]
    hazards = [message for message in said if any(alert["kind"] == "hazard" for alert in message["alerts"])]
    assert [len(message["alerts"]) for message in hazards] == [1] * STATIONS
    assert {message["severity"] for message in hazards} == {"critical"}
    assert len(said) - len(hazards) <= 20
