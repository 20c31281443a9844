"""What every test may use: free ports, a mosquitto of its own, and hypothesis kept quick and repeatable."""

import gc
import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from api import logs
from tests import ports, product
from tests.e2e.pages.chromium import Chromium
from tests.order import dealt
from tests.patience import until

NEITHER_SLOW_NOR_SOAK = "not soak and not slow"  # as pyproject.toml says


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--budget", type=float, default=0, help="begin no test after so many seconds; 0: begin all")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGAN] = time.monotonic()
    if config.getoption("numprocesses", None) and config.getoption("markexpr") == NEITHER_SLOW_NOR_SOAK:
        product.fork_until(config.add_cleanup)


def pytest_collection_finish() -> None:
    """What stands before the first test is searched for garbage no more; what a test leaves goes, for all that a part
    of the product says that stays (config/building.py): else each house of each test would stay."""
    gc.freeze()
    gc.freeze = lambda: None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What waits first: at the end of a run a core would have nothing to do while the last ones wait."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = dealt(items, workers, key=lambda item: item.path, waits=_waits)


def _waits(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) is not None for name in ("e2e", "browser", "broker"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    budget_s: float = item.config.getoption("--budget")
    if budget_s and time.monotonic() - item.config.stash[BEGAN] > budget_s:
        pytest.skip(f"left out: the {budget_s:.0f} s of this run are over")


def pytest_runtest_teardown() -> None:
    """A command that a test ran writes its log to where that test's stderr went: a later test's log finds it closed."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler.formatter).__module__ == logs.__name__:
            root.removeHandler(handler)


BEGAN = pytest.StashKey[float]()

settings.register_profile(
    "quick", max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("quick")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser of all tests of a process: a page has a context of its own."""
    with Chromium() as browser:
        yield browser


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


# Each second, not each change: with a thousand messages on their way it would take 20 a second, saving all of them.
KEEPING = ("persistence true", "autosave_interval 1")


class Mosquitto:
    """A broker process on loopback that keeps its port over `kill` and `start`."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        """`options`: further lines; KEEPING ones make it save what it holds, as a station box should."""
        self.port = port
        self._config = folder / "mosquitto.conf"
        lines = [
            "user root", "set_tcp_nodelay true", f"listener {port} 127.0.0.1", "allow_anonymous true", "log_dest none",
            "max_queued_messages 0", "max_inflight_messages 1000", f"persistence_location {folder}/", *options,
        ]  # fmt: skip
        self._config.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["mosquitto", "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers, what="mosquitto answering")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def mosquitto_of(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Start a mosquitto with further configuration lines."""
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    started: list[Mosquitto] = []

    def start(*options: str) -> Mosquitto:
        folder = tmp_path / f"mosquitto-{len(started)}"
        folder.mkdir()
        broker = Mosquitto(folder, ports.free_port(), *options)
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.kill()
