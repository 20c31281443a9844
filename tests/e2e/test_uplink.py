"""A box and its centre as processes with a mosquitto each: whatever is killed and cut, all of it ends at the centre."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEEPING, Mosquitto
from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, publish, resource, yizhan
from tests.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto")]

STATIONS = """\
stations:
  - id: yanshan
    areas:
      - id: lounge
        resources: [{id: seat-01, kind: seat, ttl: 3600}, {id: seat-02, kind: seat, ttl: 3600}, {id: door, kind: door}]
"""
BOX = """\
mqtt: {{url: "mqtt://127.0.0.1:{own}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{ack_interval_s: 1}}
uplink: {{url: "mqtt://127.0.0.1:{centre}", id: box-1, confirm: {confirm}}}
"""
CENTRE = """\
mqtt: {{url: "mqtt://127.0.0.1:{own}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
"""


class House:
    """A folder with its configuration, its broker and its HTTP port."""

    def __init__(self, folder: Path, text: str, **more: Any) -> None:
        self.folder, self.http = folder, free_port()
        folder.mkdir()
        (folder / "broker").mkdir()
        self.broker = Mosquitto(folder / "broker", free_port(), *KEEPING)
        self.config = text.format(own=self.broker.port, http=self.http, **more) + STATIONS
        (folder / "yizhan.yaml").write_text(self.config)

    def up(self) -> Yizhan:
        return Yizhan(self.folder, "up", "--config", "yizhan.yaml")

    def shown(self, name: str) -> Any:
        return resource(get(self.http, "/api/v1/stations/yanshan"), name)

    def exported(self) -> list[str]:
        done = yizhan(self.folder, "export", "--config", "yizhan.yaml")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return sorted(json.dumps({k: v for k, v in row.items() if k not in ("ts", "received_at")}) for row in rows)

    def say(self, device: str, seq: int, boot: str = "b1", **signals: Any) -> None:
        publish(self.broker.port, f"yz/yanshan/{device}/state", json.dumps({"boot": boot, "seq": seq, **signals}))


@pytest.fixture
def town(tmp_path: Path) -> Any:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto-clients is not installed")
    centre = House(tmp_path / "centre", CENTRE)
    box = House(tmp_path / "box", BOX, centre=centre.broker.port, confirm="centre")
    centre.broker.start()
    box.broker.start()
    yield box, centre
    centre.broker.kill()
    box.broker.kill()


def test_the_centre_ends_with_all_that_the_box_accepted(town: tuple[House, House]) -> None:
    box, centre = town
    with centre.up():
        until(lambda: get(centre.http, "/readyz"))
        with box.up():
            until(lambda: get(box.http, "/readyz"))
            box.say("seat-01", 1, occupied=True)
            until(lambda: centre.shown("seat-01")["use"] == "occupied", what="the first value at the centre")
            assert centre.shown("seat-01")["evidence"] == "live"
            centre.broker.kill()
            for seq in range(2, 30):
                box.say("seat-01", seq, occupied=seq % 2 == 0)
            until(lambda: box.shown("seat-01")["use"] == "free")
        # told to end while the line is down, then killed while it is down
        with box.up() as up:
            until(lambda: get(box.http, "/readyz"))
            for boot in ("b2", "b3", "b4"):
                box.say("seat-02", 1, boot, occupied=False)
                box.say("seat-02", 2, boot, occupied=boot == "b4")
            until(lambda: box.shown("seat-02")["use"] == "occupied")
            up.stop(signal.SIGKILL)
        centre.broker.start()
        with box.up():
            until(lambda: centre.shown("seat-02")["use"] == "occupied", what="the last boot at the centre")
            assert centre.shown("seat-02")["evidence"] == "live"
            until(lambda: len(centre.exported()) == len(box.exported()), what="all of the journal at the centre")
            box.say("seat-02", 3, "b4", occupied=False)
            until(lambda: centre.shown("seat-02")["use"] == "free")
    assert centre.exported() == box.exported()
