"""Another number of shards of a box with a centre: what the old ones had not told is told before they end, or named."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, get, yizhan
from tests.e2e.test_uplink import BOX, CENTRE, House, brokers
from tests.patience import PATIENCE_S, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto"),
]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[House, House]]:
    centre = House(tmp_path / "centre", CENTRE)
    several = BOX.replace("gateway: {{", 'gateway: {{metrics_listen: "127.0.0.1:0", ')
    box = House(tmp_path / "box", several, centre=centre.broker.port, confirm="box")
    with brokers(centre, box):
        yield box, centre


@contextlib.contextmanager
def shards(box: House, count: int) -> Iterator[None]:
    words = ("gateway", "--config", "yizhan.yaml", "--shard")
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Yizhan(box.folder, *words, f"{n}/{count}")) for n in range(1, count + 1)]
        names = [f"gateway-{n}of{count}" for n in range(1, count + 1)]
        until(lambda: {name for name in names if b"online" in retained(box, f"yz-sys/{name}")} == set(names))
        yield
        assert [shard.stop()[0] for shard in running] == [0] * count


def retained(house: House, topic: str) -> bytes:
    words = ["mosquitto_sub", "-p", str(house.broker.port), "-t", topic, "-C", "1", "-W", "2"]
    return subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE_S).stdout


def test_the_centre_gets_what_waited_for_the_old_shards_and_forgets_them(town: tuple[House, House]) -> None:
    box, centre = town
    with centre.up():
        until(lambda: get(centre.http, "/readyz"))
        with shards(box, 2):
            box.say("seat-01", 1, occupied=True)
            until(lambda: len(centre.exported()) == 1, what="the first message at the centre")
        assert b"stopped" in retained(centre, "yz-box/box-1-1of2")
        box.say("seat-01", 2, occupied=False)
        done = yizhan(box.folder, "shards", "3", "--config", "yizhan.yaml")
        assert (done.returncode, done.stdout) == (0, "3 shards may start\n"), done.stderr
        assert "has not confirmed" not in done.stderr
        assert len(centre.exported()) == 2
        assert [retained(centre, f"yz-box/box-1-{shard}of2") for shard in (1, 2)] == [b"", b""]
        with shards(box, 3):
            box.say("seat-01", 3, occupied=True)
            until(lambda: len(centre.exported()) == 3, what="the message to the new shards at the centre")
            until(lambda: centre.shown("seat-01")["use"] == "occupied")
    assert centre.exported() == box.exported()


def test_what_can_not_be_told_while_the_line_is_down_is_counted_in_the_log(town: tuple[House, House]) -> None:
    box, centre = town
    with shards(box, 2):
        box.say("seat-01", 1, occupied=True)
        until(lambda: len(box.exported()) == 1, what="the message stored")
    centre.broker.kill()
    done = yizhan(box.folder, "shards", "3", "--config", "yizhan.yaml")
    assert done.returncode == 0, done.stderr
    assert "the centre has not confirmed 1 messages of gateway-" in done.stderr
