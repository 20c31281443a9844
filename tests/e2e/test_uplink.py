"""A box and its centre as processes with a mosquitto each: whatever is killed and cut, all of it ends at the centre."""

import contextlib
import json
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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


ALONE = """\
mqtt: {{url: "mqtt://127.0.0.1:{own}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
uplinks: {{accept: [box-1]}}
alerts: {{raise_delay_s: 0}}
"""


ALERTS = "/api/v1/alerts?state=open&kind=box_offline"


class House:
    """A folder with its configuration, its broker and its HTTP port."""

    def __init__(self, folder: Path, text: str, stations: str = STATIONS, **more: Any) -> None:
        self.folder, self.http = folder, free_port()
        folder.mkdir()
        (folder / "broker").mkdir()
        self.broker = Mosquitto(folder / "broker", free_port(), *KEEPING)
        self.config = text.format(own=self.broker.port, http=self.http, **more) + stations
        (folder / "yizhan.yaml").write_text(self.config)

    def up(self) -> Yizhan:
        return Yizhan(self.folder, "up", "--config", "yizhan.yaml")

    def shown(self, name: str) -> Any:
        """LookupError while it is not there."""
        try:
            return resource(get(self.http, "/api/v1/stations/yanshan"), name)
        except StopIteration:
            raise KeyError(name) from None

    def exported(self) -> list[str]:
        done = yizhan(self.folder, "export", "--config", "yizhan.yaml")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return sorted(json.dumps({k: v for k, v in row.items() if k not in ("ts", "received_at")}) for row in rows)

    def key(self) -> dict[str, str]:
        words = ("keys", "create", "--config", "yizhan.yaml", "--role", "admin", "--name", "test")
        return {"Authorization": f"Bearer {yizhan(self.folder, *words).stdout.split()[-1]}"}

    def say(self, device: str, seq: int, boot: str = "b1", **signals: Any) -> None:
        publish(self.broker.port, f"yz/yanshan/{device}/state", json.dumps({"boot": boot, "seq": seq, **signals}))


@pytest.fixture
def town(tmp_path: Path) -> Any:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto-clients is not installed")
    centre = House(tmp_path / "centre", CENTRE)
    box = House(tmp_path / "box", BOX, centre=centre.broker.port, confirm="centre")
    with brokers(centre, box):
        yield box, centre


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


def test_a_station_that_only_its_box_knows_is_shown_by_the_centre(tmp_path: Path) -> None:
    centre = House(tmp_path / "centre", ALONE, "")
    told = BOX.replace("id: box-1,", "id: box-1, command_key_file: centre.key,")
    box = House(tmp_path / "box", told, centre=centre.broker.port, confirm="box")
    with brokers(centre, box), centre.up():
        until(lambda: get(centre.http, "/readyz"))
        key = centre.key()
        shutil.copy(centre.folder / "data" / "command.key", box.folder / "centre.key")
        with box.up() as up:
            until(lambda: centre.shown("seat-01"), what="the station at the centre")
            box.say("seat-01", 1, occupied=True)
            until(lambda: centre.shown("seat-01")["use"] == "occupied", what="its first value there")
            (told,) = until(lambda: [row for row in boxes(centre.http, key) if row["stations"]], what="the box's word")
            assert (told["box"], told["line"], told["stations"]) == ("box-1", "up", ["yanshan"])
            assert told["version"]
            closing = {"status": "closed", "until": (datetime.now(UTC) + timedelta(hours=6)).isoformat()}
            until(lambda: not asked(centre.http, ALERTS, key)["alerts"])
            put(centre.http, "/api/v1/stations/yanshan/override", closing, key)
            until(lambda: box.shown("seat-01")["access"] == "closed", what="the closing at the box")
            until(lambda: centre.shown("seat-01")["access"] == "closed", what="the closing at the centre")
            put(centre.http, "/api/v1/stations/yanshan/override", {"status": None}, key)
            until(lambda: box.shown("seat-01")["access"] != "closed", what="its end at the box")
            audit = asked(box.http, "/api/v1/audit", box.key())["audit"]
            assert [line["what"] for line in audit if line["what"] == "override"] == ["override"] * 2
            more = box.config.replace("{id: door,", "{id: seat-03, kind: seat, ttl: 3600}, {id: door,")
            (box.folder / "yizhan.yaml").write_text(more)
            assert yizhan(box.folder, "reload", "--config", "yizhan.yaml").returncode == 0
            until(lambda: centre.shown("seat-03")["evidence"] == "never", what="the new seat at the centre")
            assert centre.shown("seat-01")["use"] == "occupied"
            up.stop(signal.SIGKILL)
        until(lambda: centre.shown("seat-01")["evidence"] == "offline", what="the line known to be down")
        assert centre.shown("seat-01")["usable"] == "unknown"
        (alert,) = until(lambda: asked(centre.http, ALERTS, key)["alerts"], what="the alert about the box")
        put(centre.http, "/api/v1/stations/yanshan/override", closing, key)
        (waiting,) = boxes(centre.http, key)[0]["errands"][:1]
        assert (waiting["what"], waiting["by"], waiting["state"]) == ("override", "test", "waiting")
        assert centre.shown("seat-01")["access"] != "closed", "what the box has not done holds nowhere"
        assert (alert["station"], alert["cause"], alert["detail"]["stations"]) == ("yanshan", "line", 1)
        with box.up():
            until(lambda: centre.shown("seat-01")["evidence"] == "live", what="the line known to be back")
            assert centre.shown("seat-01")["use"] == "occupied"
            until(lambda: box.shown("seat-01")["access"] == "closed", what="what waited, at the box")
            until(lambda: not asked(centre.http, ALERTS, key)["alerts"])
    assert centre.exported() == box.exported()


@contextlib.contextmanager
def brokers(*houses: House) -> Iterator[None]:
    for house in houses:
        house.broker.start()
    try:
        yield
    finally:
        for house in houses:
            house.broker.kill()


def asked(http: int, path: str, key: dict[str, str]) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{http}{path}", headers=key)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def put(http: int, path: str, body: dict[str, Any], key: dict[str, str]) -> None:
    more = key | {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{http}{path}", json.dumps(body).encode(), more, method="PUT")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status < 300


def boxes(http: int, key: dict[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = asked(http, "/api/v1/boxes", key)["boxes"]
    return rows
