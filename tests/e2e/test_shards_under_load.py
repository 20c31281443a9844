"""Another number of shards while devices speak: every message is stored once, whoever numbers and whoever does not."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.e2e.crowd import Crowd, difference, seats_of
from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, mosquitto, yizhan
from tests.e2e.test_more_shards import SHARD, listening, retained
from tests.patience import PATIENCE_S, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0", ack_interval_s: 1}}
stations:
"""


def configured(folder: Path, mqtt: int, stations: int, seats: int) -> list[tuple[str, str]]:
    names = [f"station-{number:02}" for number in range(stations)]
    there = seats_of(names, seats)
    text = CONFIG.format(mqtt=mqtt, http=free_port())
    for name in names:
        resources = ", ".join(f"{{id: {seat}, kind: seat, ttl: 3600}}" for station, seat in there if station == name)
        text += f'  - {{id: {name}, hours: "24/7", areas: [{{id: hall, resources: [{resources}]}}]}}\n'
    (folder / "yizhan.yaml").write_text(text)
    return there


@contextlib.contextmanager
def shards(folder: Path, mqtt: int, count: int) -> Iterator[list[Yizhan]]:
    """So many, listening; ended as an operator ends them."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Yizhan(folder, *SHARD, f"{index}/{count}")) for index in range(1, count + 1)]
        until(lambda: listening(mqtt, count), what=f"{count} shards listening", pause_s=0.5)
        yield running
        for shard in running:
            shard.child.send_signal(signal.SIGTERM)
        assert [shard.child.wait(60) for shard in running] == [0] * count


def more_said(speaking: Crowd, rounds: int = 2) -> None:
    """Every seat has spoken so often since."""
    goal = speaking.said.total() + rounds * len(speaking.said)
    until(lambda: speaking.said.total() >= goal, what="more is said", pause_s=0.1)


def everything(folder: Path, speaking: Crowd) -> None:
    """All that was said is stored, once; and no watermark covers more."""
    speaking.end()
    differences: list[object] = []

    def stored() -> bool:
        differences[:] = [difference(yizhan(folder, "export", "--config", "yizhan.yaml").stdout, speaking.said)]
        return differences == [{}]

    with contextlib.suppress(AssertionError):
        until(stored, what="all of it, once", patience_s=60, pause_s=1)
    assert differences == [{}]


def watermarks(mqtt: int, seats: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """By seat, as far as there are any."""
    words = ["mosquitto_sub", "-p", str(mqtt), "-t", "yz-ack/+/+", "-W", "2", "-F", "%t %p"]
    lines = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE_S, text=True).stdout.splitlines()
    told = {}
    for line in lines:
        topic, _, payload = line.partition(" ")
        _, station, name = topic.split("/")
        told[station, name] = int(payload.rpartition(":")[2].rstrip("}"))
    return told


@pytest.mark.slow
def test_from_four_shards_to_eight_and_back_under_load(tmp_path: Path) -> None:
    change(tmp_path, stations=59, seats=10, numbers=(4, 8, 4), per_s=300)


@pytest.mark.slow
def test_from_one_gateway_to_two_shards_and_back_under_load(tmp_path: Path) -> None:
    change(tmp_path, stations=6, seats=4, numbers=(0, 2, 0), per_s=60)


def change(folder: Path, *, stations: int, seats: int, numbers: tuple[int, ...], per_s: int) -> None:
    with mosquitto(folder, extra="persistence false") as mqtt:
        there = configured(folder, mqtt, stations, seats)
        first, *others = numbers
        with running(folder, mqtt, first):
            speaking = Crowd(mqtt, there, per_s)
            speaking.start()
            until(lambda: len(speaking.said) == len(there), what="everybody has spoken")
            more_said(speaking)
        for number in others:
            with running(folder, mqtt, number):
                more_said(speaking)
                if number == others[-1]:
                    everything(folder, speaking)
        covered = watermarks(mqtt, there)
        assert covered == {seat: last for seat, last in speaking.said.items() if seat[1].startswith("counts")}


@contextlib.contextmanager
def running(folder: Path, mqtt: int, count: int) -> Iterator[None]:
    if count:
        with shards(folder, mqtt, count):
            yield
        return
    with Yizhan(folder, "gateway", "--config", "yizhan.yaml") as alone:
        until(lambda: retained(mqtt, "yz-sys/gateway").get("state") == "online", what="a gateway listening")
        yield
        assert alone.stop()[0] == 0


@pytest.mark.slow
def test_killed_in_the_middle_of_the_change_nothing_is_lost_or_double(tmp_path: Path) -> None:
    random = Random(19)
    with mosquitto(tmp_path) as mqtt:
        there = configured(tmp_path, mqtt, stations=12, seats=4)
        with shards(tmp_path, mqtt, 2):
            speaking = Crowd(mqtt, there, per_s=100)
            speaking.start()
            until(lambda: len(speaking.said) == len(there), what="everybody has spoken")
            more_said(speaking)
        for _ in range(8):  # before the cut, and after it
            with Yizhan(tmp_path, *SHARD, f"{random.randint(1, 3)}/3") as changing:
                until(lambda changed=changing: begun(changed), what="it begins")
                time.sleep(random.uniform(0, 4))
                changing.child.kill()
                changing.child.wait()
        with shards(tmp_path, mqtt, 3):
            more_said(speaking)
            everything(tmp_path, speaking)


def begun(changing: Yizhan) -> bool:
    """It is at work, or all is done."""
    return any(word in changing.errors for word in ("the old ones take", "going on with", "messages replayed"))
