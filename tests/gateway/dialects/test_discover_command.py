"""`yizhan discover` on a real broker."""

import argparse
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.commands import discover
from gateway.mqtt import Broker, Session
from tests.patience import until

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed: apt install mosquitto"),
]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen = free.getsockname()[1]
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"listener {chosen} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen(["mosquitto", "-c", conf], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(chosen))
        yield chosen
    finally:
        broker.terminate()
        broker.wait(60)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _speak(port: int, stopped: threading.Event) -> None:
    session = Session(Broker("127.0.0.1", port), "door", keep=False)
    while not stopped.is_set():
        session.poll(0.05)
        session.publish("zigbee2mqtt/front-door", b'{"contact":true,"battery":88}')
        session.publish("site/\xff", b"\xff")
    session.close()


def _config(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"mqtt: {{url: mqtt://127.0.0.1:{port}}}\nstations: []\n")
    return path


def test_a_caretaker_gets_a_line_to_copy(tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    stopped = threading.Event()
    device = threading.Thread(target=_speak, args=(port, stopped))
    device.start()
    try:
        args = argparse.Namespace(config=_config(tmp_path, port), seconds=0.5, json=False)
        assert discover.run(args) == 0
    finally:
        stopped.set()
        device.join()
    out = capsys.readouterr().out
    assert (
        "- {id: front-door, kind: door, power: battery, source: {dialect: zigbee2mqtt, topic: zigbee2mqtt/front-door}}"
        in out
    )
    assert "1 devices in 0.5 s" in out


def test_without_a_broker_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "CONNECT_S", 0.3)
    args = argparse.Namespace(config=_config(tmp_path, 1), seconds=0.1, json=False)
    with pytest.raises(ConnectionError, match="is the broker running"):
        discover.run(args)
