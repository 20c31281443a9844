"""Many reloads of a running gateway under load: what they pause, what they keep, what they cost.

    python -m tests.soak.reloads STATIONS RELOADS MESSAGES_PER_S SECONDS [all]

So many messages a second are sent for so long, at the least. One station changes each time, or with `all` the defaults
of every one. The configuration is a real file, read and checked each time, and a real mosquitto is in between.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from api.commands.check import checked
from api.reloading import Reloading
from config.difference import Difference
from gateway.runtime import Gateway
from tests.benchmarks.brokers import mosquitto
from tests.benchmarks.places import write_config

SEATS = 5


@dataclass
class Told:
    """Seconds, MiB, messages."""

    stations: int
    reloads: int
    pause_median_ms: float = 0
    pause_max_ms: float = 0
    apply_cpu_median_ms: float = 0
    apply_cpu_max_ms: float = 0
    whole_median_s: float = 0
    whole_max_s: float = 0
    sent: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rss_first_mib: float = 0
    rss_last_mib: float = 0
    loaded_to_the_end: bool = False


def changed(text: str, number: int, stations: int, *, everyone: bool) -> str:
    """The same with another name for one station, or another privacy tick, which all stations go by."""
    if everyone:
        return text + f"privacy: {{tick_s: {300 + number % 2}}}\n"
    name = f"第{number % stations}驿站"
    return text.replace(f"zh: {name},", f"zh: {name} {number},")


def rss_mib() -> float:
    said = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return float(said["VmRSS"].split()[0]) / 1024


def run(stations: int, reloads: int, rate: int, seconds: int, *, everyone: bool = False) -> Told:
    told = Told(stations, reloads)
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as port:
        path = Path(name) / "yizhan.yaml"
        write_config(path, stations, SEATS, f"mqtt://127.0.0.1:{port}")
        first = path.read_text()
        settings = checked(path)
        gateway = Gateway(settings)

        def apply(planned: Difference) -> None:
            gateway.reload(planned)

        cpus = _measured(gateway)
        running = Reloading(path, settings, checked, apply)
        gateway.start()
        try:
            _wait(lambda: gateway.session.subscribed)
            wholes: list[float] = []
            load = _under_load(port, stations, rate, seconds, told)
            for _ in range(reloads):
                next(load)
                path.write_text(changed(first, len(wholes) + 1, stations, everyone=everyone))
                begin = time.monotonic()
                assert running.reload_here("soak", "").changed
                wholes.append(time.monotonic() - begin)
                if len(wholes) == max(1, reloads // 5):
                    told.rss_first_mib = rss_mib()
            told.rss_last_mib = rss_mib()
            load.close()
            pauses = list(gateway.intake.between.pauses_s)
            told.pause_median_ms, told.pause_max_ms = median(pauses) * 1000, max(pauses) * 1000
            told.apply_cpu_median_ms, told.apply_cpu_max_ms = median(cpus) * 1000, max(cpus) * 1000
            told.whole_median_s, told.whole_max_s = median(wholes), max(wholes)
            told.reloads = len(wholes)
            _wait(lambda: gateway.report.metrics().received >= told.sent, 120)
            _wait(lambda: gateway.report.metrics().backlog == 0, 120)
            figures = gateway.report.metrics()
            told.stored, told.duplicate = figures.stored, figures.duplicate
            told.quarantined = sum(figures.quarantined.values())
        finally:
            gateway.stop()
    return told


def _measured(gateway: Gateway) -> list[float]:
    """The CPU seconds that intake spends on each change: on a busy machine the wall's tell of others."""
    change, spent = gateway.intake.between.work, list[float]()

    def work(now: int) -> None:
        waits, begin = bool(gateway.intake.between), time.thread_time()
        change(now)
        if waits:
            spent.append(time.thread_time() - begin)

    gateway.intake.between.work = work  # type: ignore[method-assign]
    return spent


def _wait(done: object, most_s: float = 60) -> None:
    end = time.monotonic() + most_s
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def _under_load(port: int, stations: int, rate: int, seconds: int, told: Told) -> Generator[None, None, None]:
    """Again and again; at the end all that was to be sent has been."""
    child = None
    if rate:
        told.sent = rate * seconds
        words = [str(word) for word in (port, stations, SEATS, told.sent, 50, rate, 0)]
        command = [sys.executable, "-m", "tests.benchmarks.publisher", *words]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.write("\n")
        child.stdin.flush()
    try:
        while True:
            yield None
    finally:
        if child is not None:
            told.loaded_to_the_end = child.poll() is None
            child.wait(600)


if __name__ == "__main__":
    stations_, reloads_, rate_, seconds_ = (int(word) for word in sys.argv[1:5])
    print(json.dumps(asdict(run(stations_, reloads_, rate_, seconds_, everyone="all" in sys.argv)), indent=1))
