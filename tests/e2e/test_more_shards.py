"""Another number of shards while data exists: nothing that a device still has is promised away, nothing is double."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, publish, yizhan
from tests.patience import PATIENCE_S, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

STATIONS = ("north", "south", "east", "west")
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0", ack_interval_s: 1}}
stations:
"""
STATION = '  - {id: %s, hours: "24/7", areas: [{id: yard, resources: [{id: seat-01, kind: seat, ttl: 3600}]}]}\n'
SHARD = ("gateway", "--config", "yizhan.yaml", "--shard")


def say(mqtt: int, numbers: range) -> None:
    for name in STATIONS:
        for seq in numbers:
            body = {"boot": "a", "seq": seq, "occupied": seq % 2 == 1}
            publish(mqtt, f"yz/{name}/seat-01/state", json.dumps(body))


def stored(folder: Path) -> list[tuple[str, int]]:
    lines = yizhan(folder, "export", "--config", "yizhan.yaml").stdout.splitlines()
    return sorted((row["station"], row["seq"]) for row in map(json.loads, lines))


def every(numbers: range) -> list[tuple[str, int]]:
    return sorted((name, seq) for name in STATIONS for seq in numbers)


def retained(mqtt: int, topic: str) -> Any:
    words = ["mosquitto_sub", "-p", str(mqtt), "-t", topic, "-C", "1", "-W", "5"]
    text = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE_S).stdout
    return json.loads(text) if text else {}


def upto(mqtt: int, name: str) -> Any:
    return retained(mqtt, f"yz-ack/{name}/seat-01").get("upto")


def listening(mqtt: int, shards: int) -> bool:
    """A gateway says that it is there after it has asked for its topics."""
    names = [f"gateway-{index}of{shards}" for index in range(1, shards + 1)]
    return all(retained(mqtt, f"yz-sys/{name}").get("state") == "online" for name in names)


@pytest.mark.slow
def test_from_two_shards_to_three_and_back_nothing_is_lost_or_double(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        (tmp_path / "yizhan.yaml").write_text(
            CONFIG.format(mqtt=mqtt, http=http) + "".join(STATION % name for name in STATIONS)
        )
        with shards(tmp_path, mqtt, 2):
            say(mqtt, range(1, 3))
            until(lambda: stored(tmp_path) == every(range(1, 3)), what="the first messages stored")
            assert "another number of shards" in yizhan(tmp_path, *SHARD, "1/3").stderr
        say(mqtt, range(3, 5))  # waits in sessions of shards that are no more
        with Yizhan(tmp_path, "api", "--config", "yizhan.yaml"):
            with shards(tmp_path, mqtt, 3):
                until(lambda: stored(tmp_path) == every(range(1, 5)), what="what waited is stored")
                say(mqtt, range(1, 6))  # a device sends again, and more
                until(lambda: stored(tmp_path) == every(range(1, 6)), what="all of it, once")
                until(lambda: {upto(mqtt, name) for name in STATIONS} == {5}, what="the watermarks")
                for name in STATIONS:
                    past = until(lambda name=name: through_both(http, name), what="the history")
                    assert [interval["to"] for interval in past[:-1]] == [interval["from"] for interval in past[1:]]
            with shards(tmp_path, mqtt, 2):
                say(mqtt, range(5, 7))  # the fifth once more
                until(lambda: set(every(range(6, 7))) <= set(stored(tmp_path)), what="the shards of before store")
        assert stored(tmp_path) == every(range(1, 7))


@pytest.mark.slow
def test_by_command_what_comes_before_the_start_waits_and_a_lost_folder_is_named(tmp_path: Path) -> None:
    hand_over = ("shards", "3", "--config", "yizhan.yaml")
    with mosquitto(tmp_path) as mqtt:
        (tmp_path / "yizhan.yaml").write_text(
            CONFIG.format(mqtt=mqtt, http=free_port()) + "".join(STATION % name for name in STATIONS)
        )
        with shards(tmp_path, mqtt, 2):
            say(mqtt, range(1, 3))
            until(lambda: stored(tmp_path) == every(range(1, 3)), what="the first messages stored")
            running = yizhan(tmp_path, *hand_over)
            assert (running.returncode, "stop all gateways" in running.stderr) == (1, True)
        say(mqtt, range(3, 4))
        shutil.rmtree(tmp_path / "data/gateway-2of2")
        lost = yizhan(tmp_path, *hand_over)
        assert lost.returncode == 1
        assert "of 2 shards gateway-2of2 can't be found" in lost.stderr
        done = yizhan(tmp_path, *hand_over, "--without-missing")
        assert (done.returncode, done.stdout) == (0, "3 shards may start\n"), done.stderr
        assert yizhan(tmp_path, *hand_over).stdout == "nothing to hand over: 3 shards may start\n"
        say(mqtt, range(4, 5))
        with shards(tmp_path, mqtt, 3):
            until(lambda: set(every(range(3, 5))) <= set(stored(tmp_path)), what="what waited at any time is stored")
        have = stored(tmp_path)
        assert len(have) == len(set(have))


@pytest.mark.slow
def test_it_needs_no_right_at_the_broker_that_a_gateway_has_not_anyway(tmp_path: Path) -> None:
    rules = ("readwrite yz/#", "readwrite yz-sys/#", "readwrite yz-ack/#", "readwrite yz-live/#", "read yz-cmd/+/+")
    (tmp_path / "acl").write_text("".join(f"topic {rule}\n" for rule in rules))
    (tmp_path / "acl").chmod(0o644)
    with mosquitto(tmp_path, extra=f"user root\nacl_file {tmp_path}/acl") as mqtt:
        (tmp_path / "yizhan.yaml").write_text(
            CONFIG.format(mqtt=mqtt, http=free_port()) + "".join(STATION % name for name in STATIONS)
        )
        with shards(tmp_path, mqtt, 2):
            say(mqtt, range(1, 3))
            until(lambda: stored(tmp_path) == every(range(1, 3)), what="the first messages stored")
        say(mqtt, range(3, 5))
        done = yizhan(tmp_path, "shards", "3", "--config", "yizhan.yaml")
        assert done.returncode == 0, done.stderr
        say(mqtt, range(5, 6))
        with shards(tmp_path, mqtt, 3):
            until(lambda: stored(tmp_path) == every(range(1, 6)), what="all of it, once")


def through_both(http: int, name: str) -> Any:
    """The intervals once they end with free, said to two shards, and occupied, said to three."""
    past = get(http, f"/api/v1/stations/{name}/history?resource=seat-01")["intervals"]
    return [interval["use"] for interval in past][-2:] == ["free", "occupied"] and past


@contextlib.contextmanager
def shards(folder: Path, mqtt: int, count: int) -> Iterator[None]:
    """So many gateways that listen, ended in order."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Yizhan(folder, *SHARD, f"{index}/{count}")) for index in range(1, count + 1)]
        until(lambda: listening(mqtt, count), what="the shards listening")
        yield
        assert [shard.stop()[0] for shard in running] == [0] * count
