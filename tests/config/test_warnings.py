"""What a configuration may say and should not."""

from pathlib import Path

import pytest

from config.load import load
from config.warnings import warnings


def warned(folder: Path, url: str) -> list[str]:
    path = folder / "yizhan.yaml"
    path.write_text(f"store: {{path: data}}\nuplink:\n  url: {url}\n")
    return list(warnings(path, load(path, {})))


def test_a_plain_line_to_another_machine_is_warned_of_with_its_place(tmp_path: Path) -> None:
    (line,) = warned(tmp_path, "mqtt://centre.example:1883")
    assert line.startswith(f"{tmp_path / 'yizhan.yaml'}:3: uplink.url: warning: ")


def test_of_several_addresses_of_the_broker_those_off_this_machine_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "yizhan.yaml"
    path.write_text("store: {path: data}\nmqtt:\n  url: [mqtt://127.0.0.1, mqtt://one.example, mqtt://10.0.0.2:1884]\n")
    (line,) = warnings(path, load(path, {}))
    assert line.startswith(f"{path}:3: mqtt.url: warning: mqtt:// to one.example:1883, 10.0.0.2:1884: ")
    assert "write mqtts://" in line


@pytest.mark.parametrize("url", ["mqtts://centre.example:8883", "mqtt://127.0.0.1:1883", "mqtt://localhost:1883"])
def test_an_encrypted_line_and_one_on_this_machine_are_fine(tmp_path: Path, url: str) -> None:
    assert warned(tmp_path, url) == []
