"""Our receiver against our sender: the API of another house, as it is served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.base.clock import now_ms
from tests.api import conftest
from tests.api.conftest import MINUTE, House, serving
from tests.api.documents import document, resource
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.firmware_bridge.operators.rig import OCPI_TOKEN, asking, ocpi_settings, status
from tests.patience import until


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    secret = tmp_path / "invited"
    secret.write_text(OCPI_TOKEN)
    partner = {"id": "box", "token_file": str(secret), "allow_private": True}
    ocpi = {"country_code": "CN", "party_id": "OPR", "partners": [partner]}
    monkeypatch.setattr(conftest, "CONFIG", conftest.CONFIG | {"ocpi": ocpi})
    (tmp_path / "store").mkdir()
    yield from serving(tmp_path / "store")


def show(house: House, use: str) -> None:
    house.clock.now = now = now_ms()
    pile = resource("pile-01", "charger", use=use, until=now + 5 * MINUTE) | {"type": "ev"}
    house.view.feed_threadsafe([document("yanshan", [pile], [], now)])


def test_our_own_sender_registers_us_is_read_and_pushes(tmp_path: Path, house: House) -> None:
    show(house, "free")
    sink = SpoolSink(tmp_path / "spool")
    settings = ocpi_settings(tmp_path, f"{house.url}/ocpi/versions", ["pile-01"], poll_s=3_600)
    try:
        with asking(tmp_path, sink, settings):
            until(lambda: status(sink, "pile-pile-01") == "Available", "it is read")
            show(house, "occupied")
            until(lambda: status(sink, "pile-pile-01") == "Charging", "it is pushed")
    finally:
        sink.spool.close()
