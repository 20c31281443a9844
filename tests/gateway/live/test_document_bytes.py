"""A document is the same to the byte, whatever it is made of: vectors/documents, one document a line.

`made` is the varied station through a day, `withdrawn` some of them as their claims end, `blank` before anybody spoke.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from api.wire_documents import received, withdraw, without_areas
from config.schema import Settings
from gateway.homeassistant.announce import states
from gateway.live.station_document import StationDocument, blank, deadline, encode, withdrawn
from tests.gateway.live.house import HOUR, START
from tests.gateway.live.varied import AREAS, STATION, lived, varied

VECTORS = Path(__file__).parents[2] / "vectors" / "documents"
DAY = 24 * HOUR


def recorded(name: str) -> list[bytes]:
    return (VECTORS / f"{name}.jsonl").read_bytes().splitlines()


def known(body: bytes) -> StationDocument:
    return received("yanshan", body, START + DAY, defaultdict(lambda: DAY)).shown


def endings() -> list[tuple[bytes, int]]:
    """(a document, when it is looked at): at its first end, at that of what was left, and a day later."""
    looks = []
    for body, at in zip(recorded("made")[1:4], (START + 123, START + 20_123, START + 140_123), strict=True):
        left = body
        for _ in range(2):
            end = (deadline(known(left)) or 0) + 7
            looks.append((left, end))
            left = withdraw(left, end).body
        looks.append((body, at + 30 * HOUR))
    return looks


def test_what_a_living_station_shows() -> None:
    assert [document.body for document in lived(varied())] == recorded("made")


def test_what_home_assistant_is_told() -> None:
    assert [states(document.shown)[1] for document in lived(varied())] == recorded("homeassistant")


def test_what_is_read_is_what_was_said() -> None:
    for document in lived(varied()):
        assert encode(known(document.body)) == document.body


def test_what_is_shown_when_claims_end() -> None:
    assert [withdraw(*look).body for look in endings()] == recorded("withdrawn")
    assert [encode(withdrawn(known(body), at)) for body, at in endings()] == recorded("withdrawn")


def test_what_the_list_shows() -> None:
    shown = [*recorded("made")[2:4], *recorded("withdrawn")[:2], recorded("blank")[0]]
    assert [without_areas(body) for body in shown] == recorded("cards")


@pytest.mark.parametrize(
    ("at", "more"),
    [
        (0, {}),
        (1, {"region": [], "location": None, "lifecycle": "planned"}),
        (2, {"location": {"lat": 22, "lon": 113}}),
    ],
)
def test_what_is_shown_before_anybody_spoke(at: int, more: dict[str, object]) -> None:
    settings = Settings.model_validate({"stations": [{"id": "yanshan", "areas": AREAS, **STATION, **more}]})
    assert encode(blank(settings.stations[0], START + 5)) == recorded("blank")[at]
