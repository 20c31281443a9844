"""Eight whole boxes and their centre, a mosquitto each: lines are cut, boxes and centre are killed, under load."""

import contextlib
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.mqtt import Broker, Session
from tests.conftest import KEEPING, Mosquitto
from tests.e2e.lines import CutLine
from tests.e2e.rig import MOSQUITTO, Yizhan, yizhan
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto")]

BOXES, SEATS, A_MINUTE_S, SPEAK_S = 8, 4, 70.0, 0.2
STORE = "store: {path: data, ballast_mib: 0}\n"


def station(number: int) -> str:
    seats = ", ".join(f"{{id: seat-{seat}, kind: seat, ttl: 3600}}" for seat in range(SEATS))
    return f"  - {{id: town-{number}, areas: [{{id: lounge, resources: [{seats}]}}]}}\n"


class House:
    """A gateway without HTTP, and its broker."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        (folder / "broker").mkdir(parents=True)
        self.broker = Mosquitto(folder / "broker", free_port(), *KEEPING)
        own = f'mqtt: {{url: "mqtt://127.0.0.1:{self.broker.port}", reconnect_max_s: 2}}\n'
        quiet = 'gateway: {metrics_listen: "127.0.0.1:0", ack_interval_s: 1}\n'
        (folder / "yizhan.yaml").write_text(own + STORE + quiet + config)
        self.process: Yizhan | None = None
        self._started_at = 0.0

    def start(self) -> None:
        self.process = Yizhan(self.folder, "gateway", "--config", "yizhan.yaml")
        self._started_at = time.monotonic()

    def start_again(self) -> None:
        if time.monotonic() - self._started_at > A_MINUTE_S:
            self.kill()
            self.start()

    def kill(self) -> None:
        if self.process is not None:
            self.process.stop(signal.SIGKILL)
            self.process.__exit__(None)
            self.process = None

    def exported(self) -> Counter[str]:
        done = yizhan(self.folder, "export", "--config", "yizhan.yaml")
        assert done.returncode == 0, done.stderr
        rows = (json.loads(line) for line in done.stdout.splitlines())
        return Counter(json.dumps({k: v for k, v in row.items() if k not in ("ts", "received_at")}) for row in rows)


class Devices:
    """The seats of one box: each says what is true some times a second, and restarts now and then."""

    def __init__(self, number: int, port: int, rng: random.Random) -> None:
        self.number, self._rng = number, rng
        self._session = Session(Broker("127.0.0.1", port), f"devices-{number}", keep=False, reconnect_max_s=1)
        self._boots, self._seqs = [0] * SEATS, [0] * SEATS
        self.last: dict[int, bool] = {}

    def speak(self) -> None:
        self.poll()
        if not self._session.connected:
            return
        for seat in range(SEATS):
            if self._rng.random() < 0.01:
                self._boots[seat], self._seqs[seat] = self._boots[seat] + 1, 0
            self._seqs[seat] += 1
            occupied = self._rng.random() < 0.5
            said = {"boot": f"b{self._boots[seat]}", "seq": self._seqs[seat], "oldest": 1, "occupied": occupied}
            topic = f"yz/town-{self.number}/seat-{seat}/state"
            if self._session.publish(topic, json.dumps(said).encode()) is not None:
                self.last[seat] = occupied

    def poll(self) -> None:
        """What it has said goes on its way."""
        self._session.poll(0)

    def close(self) -> None:
        self._session.close()


class Eye:
    """What the centre shows."""

    def __init__(self, port: int) -> None:
        self._session = Session(Broker("127.0.0.1", port), "eye", filters=["yz-live/#"], keep=False, reconnect_max_s=1)
        self.shown: dict[str, dict[str, Any]] = {}

    def look(self, wait_s: float = 0.05) -> None:
        arrivals = self._session.poll(wait_s)
        for topic, payload, _ in arrivals.frames if arrivals is not None else ():
            document = json.loads(payload)
            self.shown[topic.decode().split("/")[1]] = {
                resource["id"]: resource for area in document["areas"] for resource in area["resources"]
            }
        if arrivals is not None:
            self._session.ack(arrivals.epoch, arrivals.mids)

    def shows(self, all_devices: list[Devices]) -> bool:
        """Whether every seat is live there with what its device said last."""
        self.look()
        for devices in all_devices:
            devices.poll()
            seats = self.shown.get(f"town-{devices.number}", {})
            for seat, occupied in devices.last.items():
                shown = seats.get(f"seat-{seat}", {})
                if shown.get("evidence") not in ("live", "suspect") or shown["use"] != (
                    "occupied" if occupied else "free"
                ):
                    return False
        return True

    def close(self) -> None:
        self._session.close()


@contextlib.contextmanager
def district(folder: Path) -> Iterator[tuple[House, list[House], list[CutLine]]]:
    accept = ", ".join(f"town-{number}" for number in range(BOXES))
    stations = "".join(station(number) for number in range(BOXES))
    centre = House(folder / "centre", f"uplinks: {{accept: [{accept}]}}\nstations:\n{stations}")
    centre.broker.start()
    with contextlib.ExitStack() as stack:
        boxes, lines = [], []
        stack.callback(centre.broker.kill)
        stack.callback(centre.kill)
        for number in range(BOXES):
            line = stack.enter_context(CutLine(centre.broker.port))
            uplink = f'uplink: {{url: "mqtt://127.0.0.1:{line.port}", messages_per_s: 2000}}\n'
            box = House(folder / f"box-{number}", f"{uplink}stations:\n{station(number)}")
            box.broker.start()
            stack.callback(box.broker.kill)
            stack.callback(box.kill)
            boxes.append(box)
            lines.append(line)
        for house in (centre, *boxes):
            house.start()
        yield centre, boxes, lines


def lived(folder: Path, seconds: float, seed: int) -> None:
    rng = random.Random(seed)
    with district(folder) as (centre, boxes, lines), contextlib.ExitStack() as stack:
        made = [Devices(number, box.broker.port, rng) for number, box in enumerate(boxes)]
        devices = [stack.enter_context(contextlib.closing(opened)) for opened in made]
        eye = stack.enter_context(contextlib.closing(Eye(centre.broker.port)))
        until(
            lambda: ([devices_of_one.speak() for devices_of_one in devices], eye.shows(devices))[1],
            what="all seats at the centre",
        )
        end, next_trouble, next_words = time.monotonic() + seconds, 0.0, 0.0
        while time.monotonic() < end:
            if time.monotonic() >= next_words:
                next_words = time.monotonic() + SPEAK_S
                for speaker in devices:
                    speaker.speak()
            eye.look()
            if time.monotonic() >= next_trouble:
                next_trouble = time.monotonic() + rng.uniform(1, 4)
                trouble(rng, centre, boxes, lines)
        for line in lines:
            line.mend()
        until(lambda: eye.shows(devices), what="what is true at the centre")
        theirs = Counter[str]()
        for box in boxes:
            theirs += box.exported()
        assert theirs.total() > 1_000
        until(lambda: centre.exported().total() >= theirs.total(), what="all of it at the centre", pause_s=1.0)
        ours = centre.exported()
        assert (theirs - ours, ours - theirs) == (Counter(), Counter())


def trouble(rng: random.Random, centre: House, boxes: list[House], lines: list[CutLine]) -> None:
    """A line is cut or mended; now and then a box or the centre is killed, and started again at once. Not the same one
    ever again: after two ends within a minute of its start a gateway looks at one message at a time."""
    what = rng.random()
    if what < 0.45:
        rng.choice(lines).cut()
    elif what < 0.9:
        rng.choice(lines).mend()
    elif what < 0.97:
        rng.choice(boxes).start_again()
    else:
        centre.start_again()


@pytest.mark.slow
def test_two_minutes_of_cut_lines_and_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    lived(tmp_path, 120, 1)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_ten_minutes_of_cut_lines_and_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    lived(tmp_path, 600, 2)
