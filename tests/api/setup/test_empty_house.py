"""The folder that `yizhan up` makes where nothing is configured."""

import socket
import stat
from pathlib import Path

import pytest

from api.commands.check import checked
from api.setup import empty_house
from api.setup.empty_house import FILE, open_house


def test_it_is_a_configuration_without_stations_on_loopback(tmp_path: Path) -> None:
    house = tmp_path / "house"
    assert open_house(house, "embedded://127.0.0.1:0")
    settings = checked(house)
    assert settings.stations == ()
    assert str(settings.api.listen) == "127.0.0.1:8080"
    assert settings.store.path == house / "data"
    assert stat.S_IMODE((house / FILE).stat().st_mode) == 0o600


def test_what_stands_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("stations: []\n")
    assert not open_house(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("there", [True, False])
def test_a_broker_on_this_machine_is_taken_else_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    with socket.socket() as broker:
        broker.bind(("127.0.0.1", 0))
        port = broker.getsockname()[1]
        if there:
            broker.listen()
        monkeypatch.setattr(empty_house, "BROKER", ("127.0.0.1", port))
        open_house(tmp_path)
    scheme = "mqtt" if there else "embedded"
    assert checked(tmp_path).mqtt.url == (f"{scheme}://127.0.0.1:{port}",)
