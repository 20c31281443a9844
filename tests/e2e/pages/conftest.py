"""A browser for the session, stand-in servers for each test that wants one."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests import product
from tests.e2e.pages.chromium import CHROMIUM, Chromium, Page

HOUSE = Path(__file__).parents[3]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium these tests are left out, as tests/install-tools.sh has told."""
    if CHROMIUM:
        return
    out = [item for item in items if item.get_closest_marker("browser")]
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=out)


class Server:
    """A stand-in process: can be killed, frozen and started again on its port."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self.port = 0
        self.start()

    def start(self) -> None:
        words = ("--port", str(self.port), *self._options)
        self.process = product.start(*words, module="tests.e2e.pages.stand_in", stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def kill(self) -> None:
        self.process.kill()
        self._gone()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.thaw()
            self.process.kill()
        self._gone()

    def _gone(self) -> None:
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    server = Server(*options)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def modules(browser: Chromium, server: Server, *names: str) -> Iterator[Page]:
    """A blank page of the server's, with these modules of its script at hand by name."""
    with closing(browser.open(server.url("/screen/nowhere"))) as page:
        build = page.run("document.documentElement.dataset.build")
        for name in names:
            page.run(f"import('/static/{build}/js/{name}.js').then((module) => void (window.{name} = module))")
        yield page


@pytest.fixture(scope="session")
def day() -> Iterator[Server]:
    """A server on a Saturday afternoon, with a network of 59 stations."""
    with serving("--at", "2026-11-21T14:32:08+08:00", "--stations", "59") as server:
        yield server


@pytest.fixture
def mortal() -> Iterator[Callable[..., Server]]:
    """Servers to kill and freeze. Values stay good for a few seconds only."""
    made: list[Server] = []

    def make(*options: str) -> Server:
        made.append(Server(*options))
        return made[-1]

    yield make
    for server in made:
        server.stop()
