"""A process that is forked is for a test what one that starts afresh is."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import product


def main() -> int:
    """What the process of these tests does: it tells where it is and what it was given, and waits to be stopped."""
    words = [Path.cwd(), *sys.argv[1:], os.environ["OF_THIS_TEST"]]
    print(*words, os.getsid(0) == os.getpid(), len([*Path("/proc/self/fd").iterdir()]), flush=True)
    if "wait" in sys.argv:
        signal.pause()
    return 7


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """That of the run, or one of our own."""
    ends: list[Callable[[], None]] = []
    if product.FORKS not in os.environ:
        product.fork_until(ends.append)
    yield
    for end in ends:
        end()


@pytest.fixture(params=["forked", "afresh"])
def way(server: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THIS_TEST", "given")
    monkeypatch.setenv("PYTHONPATH", str(product.HOUSE))
    if request.param == "afresh":
        monkeypatch.delenv(product.FORKS)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("new_session", [True, False])
def test_it_has_its_words_folder_environment_and_session_and_no_more(tmp_path: Path, new_session: bool) -> None:
    child = product.start("a", "b", module=__name__, cwd=tmp_path, stdout=subprocess.PIPE, new_session=new_session)
    assert child.stdout is not None
    with child.stdout as told:
        words = told.read().decode().split()
    assert words[:5] == [str(tmp_path), "a", "b", "given", str(new_session)]
    assert int(words[5]) <= 5  # the three that everybody has, and that by which it counts
    assert child.wait(60) == 7
    assert child.poll() == child.returncode == 7


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_waited_for_and_ended_by_a_signal(number: signal.Signals) -> None:
    child = product.start("wait", module=__name__, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as told:
        told.readline()
        assert child.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.01)
        child.send_signal(number)
        assert child.wait(60) == -number
    child.kill()  # one that has ended is left alone


@pytest.mark.usefixtures("way")
def test_a_command_ends_with_what_it_says_and_its_status(tmp_path: Path) -> None:
    done = product.run("check", "--config", "nowhere.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout.startswith("nowhere.yaml:1: can't be read")
    assert "name the configuration" in done.stderr


if __name__ == "__main__":
    sys.exit(main())
