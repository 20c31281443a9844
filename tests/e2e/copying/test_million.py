"""Six hours of backlog into a copy that has every trouble there is; 20,000 rows here, a million with `-m soak`."""

import json
import os
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.load import load
from gateway.store.files import read_only
from tests.e2e.copying.backlog import PILES, fill, lines_of
from tests.e2e.copying.faulty_influx import FAULTS
from tests.e2e.copying.faulty_proxy import FAULTS as PROXY_FAULTS
from tests.e2e.copying.pulse import SEATS, Pulse
from tests.e2e.rig import Yizhan, free_port, get, mosquitto
from tests.gateway.store.victoria import PROGRAM, Victoria
from tests.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
api: {{listen: "127.0.0.1:{http}"}}
store:
  path: data
  ballast_mib: 0
  influx:
    {{url: "{url}", org: o, bucket: b, token_file: token, timeout_s: 1, max_retry_pause_s: 1, batch_rows: {batch}}}
stations:
  - {{id: yanshan, areas: [{{id: yard, resources: [{piles}]}}]}}
  - {{id: hall, areas: [{{id: lounge, resources: [{seats}]}}]}}
"""
SEED = 8
PHASES = ("away", "faulty", "fine")
MILLION = pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])
SIZES = pytest.mark.parametrize("rows", [20_000, MILLION])


class Copy(NamedTuple):
    """A copy that can be made to fail; `kinds` of fault there are, and how many it had of each."""

    url: str
    set_mode: Callable[[str], object]
    faults: Callable[[], dict[str, int]]
    kinds: Collection[str]


class Told(NamedTuple):
    """What a run measured, and which lines the journal ended with."""

    figures: dict[str, Any]
    lines: list[str]
    dead: list[str]


@contextmanager
def program(name: str, *words: object) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """One of the faulty ones in a process of its own, that takes no time from who measures: its address, and itself."""
    command = [sys.executable, "-m", f"tests.e2e.copying.{name}", *map(str, words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield f"http://127.0.0.1:{int(child.stdout.readline())}", child
        finally:
            child.kill()


@contextmanager
def faulty_influx(poison_every: int, poison_upto: int) -> Iterator[Copy]:
    with program("faulty_influx", SEED, poison_every, poison_upto) as (url, _):
        set_mode = lambda mode: urllib.request.urlopen(f"{url}/mode/{mode}", b"", timeout=60).close()  # noqa: E731
        yield Copy(url, set_mode, lambda: points(url)["faults"], FAULTS)


@contextmanager
def faulty_line(port: int) -> Iterator[Copy]:
    with program("faulty_proxy", port, SEED) as (url, child):

        def say(word: str) -> Any:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(word + "\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline())

        yield Copy(url, say, lambda: say("faults"), PROXY_FAULTS)


def points(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/points", timeout=60) as answer:
        return json.load(answer)


def figure(http: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=60) as answer:
        return float(
            next(line for line in answer.read().decode().splitlines() if line.startswith(name + " ")).split()[1]
        )


class Gauge:
    """What a phase costs: rows copied by the clock and by the processor, live messages and all."""

    def __init__(self, up: Yizhan, http: int) -> None:
        self._up, self._http = up, http
        self.begin()

    def begin(self) -> None:
        self.at, self._rows, self._spent_s = time.monotonic(), self.rows, self._cpu_s()

    @property
    def rows(self) -> float:
        return figure(self._http, "yizhan_copy_rows_total")

    def _cpu_s(self) -> float:
        ticks = Path(f"/proc/{self._up.child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def told(self) -> dict[str, Any]:
        seconds, rows, spent_s = time.monotonic() - self.at, self.rows - self._rows, self._cpu_s() - self._spent_s
        return {
            "seconds": round(seconds, 1),
            "rows_per_s": round(rows / seconds),
            "rows_per_cpu_s": round(rows / max(spent_s, 0.01)),
        }


def configure(folder: Path, copy: Copy, rows: int, mqtt: int) -> tuple[Path, int]:
    """The configuration with a backlog behind it, and the port of its pages."""
    (folder / "token").write_text("secret")
    config, http = folder / "yizhan.yaml", free_port()
    piles = [f"{{id: pile-{n:02d}, kind: charger, type: ev}}" for n in range(PILES)]
    seats = [f"{{id: seat-{n:02d}, kind: seat}}" for n in range(SEATS)]
    gates = [f"{{id: gate-{phase}, kind: door}}" for phase in PHASES]
    words = {"piles": ", ".join(piles), "seats": ", ".join(seats + gates), "batch": 5000 if rows > 100_000 else 500}
    config.write_text(CONFIG.format(mqtt=mqtt, http=http, url=copy.url, **words))
    fill(config, rows)
    return config, http


def run(folder: Path, rows: int, copy: Copy, more: Callable[[], None] = lambda: None) -> Told:
    """Away, then faulty until half of it is copied, then fine; live messages and a forced door in each phase."""
    half = rows / 2 if rows > 100_000 else 0
    figures: dict[str, Any] = {"rows": rows}
    with mosquitto(folder) as port:
        config, http = configure(folder, copy, rows, port)
        with Yizhan(folder, "up", "--config", "yizhan.yaml") as up:
            until(lambda: get(http, "/readyz"))
            pulse, gauge = Pulse(port, 300), Gauge(up, http)
            pulse.start()
            over: dict[str, Callable[[], bool]] = {
                "away": lambda: time.monotonic() - gauge.at > min(rows / 20_000, 10),
                "faulty": lambda: copy.faults().keys() >= set(copy.kinds) and gauge.rows >= half,
                "fine": lambda: figure(http, "yizhan_copy_backlog") < 1000,
            }
            for phase in PHASES:
                pulse.phase, before = phase, gauge.rows
                copy.set_mode(phase)
                if phase == "faulty":
                    more()
                if phase == "fine":  # which is noticed after the pause that had begun
                    until(lambda before=before: gauge.rows > before)
                gauge.begin()
                to_alert_s = pulse.cry(f"gate-{phase}")
                until(over[phase], patience_s=600 if half else 60, pause_s=0.1)
                figures[phase] = {**gauge.told(), "to_alert_ms": round(to_alert_s * 1000)}
            pulse.stop()
            figures["faults"] = sum(copy.faults().values())
            until(lambda: figure(http, "yizhan_copy_backlog") == 0)
            assert figure(http, "yizhan_copy_trouble") == 0
            assert figure(http, "yizhan_readings_stored_total") == pulse.sent + len(PHASES)
            assert up.stop()[0] == 0
    for phase, delays in pulse.figures().items():
        figures[phase].update(delays)
    settings = load(config)
    with closing(read_only(settings.store.path / "yizhan.db")) as db:
        dead = [line for (line,) in db.execute("SELECT line FROM dead_letter")]
    return Told(figures, list(lines_of(settings)), dead)


def held_to_account(told: Told, rows: int) -> None:
    """What must hold in every run, but for what the copy has."""
    print(json.dumps(told.figures))
    for phase in PHASES:
        assert told.figures[phase]["p50_ms"] < 100, told.figures
        assert told.figures[phase]["to_alert_ms"] < 2000, told.figures
    if rows == 1_000_000:
        # By the processor: others may be at work on this machine.
        assert told.figures["fine"]["rows_per_cpu_s"] >= 50_000, told.figures


@pytest.mark.slow
@SIZES
def test_nothing_is_lost_and_nothing_double_whatever_influxdb_answers(tmp_path: Path, rows: int) -> None:
    poison_every = rows // 20 + 1  # in what is sent while all else fails as well
    with faulty_influx(poison_every, rows * 2 // 5) as copy:
        told = run(tmp_path, rows, copy)
        has = points(copy.url)
    numbers = set(range(1, rows * 2 // 5 + 1, poison_every))
    refused = {line for line in told.lines if line.startswith("charger") and int(line[-6:]) in numbers}
    assert sorted(told.dead) == sorted(refused)
    assert len(refused) == len(numbers) == 8
    whole = [line for line in told.lines if line not in refused]
    assert (has["rows"], has["digest"], has["changed"]) == (len(whole), sum(zlib.crc32(x.encode()) for x in whole), 0)
    held_to_account(told, rows)


@pytest.mark.slow
@SIZES
@pytest.mark.skipif(PROGRAM is None, reason="victoria-metrics is not installed")
def test_nothing_is_lost_and_nothing_double_in_victoriametrics_behind_a_bad_line(tmp_path: Path, rows: int) -> None:
    victoria = Victoria(tmp_path)
    victoria.start()

    def freeze() -> None:
        victoria.freeze()
        time.sleep(2)
        victoria.start()

    try:
        with faulty_line(victoria.port) as copy:
            told = run(tmp_path, rows, copy, freeze)
        ours = sorted(
            (line.split(",")[1].removeprefix("resource="), int(line.rpartition(" ")[2]) // 1_000_000)
            for line in told.lines
            if line.startswith("charger")
        )
        assert sorted((name, at) for name, at, _ in victoria.rows("charger_power_w")) == ours
        assert len(ours) == rows
        assert told.dead == []
        held_to_account(told, rows)
    finally:
        victoria.stop()
