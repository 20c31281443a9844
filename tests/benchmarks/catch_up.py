"""A box whose line was down returns: how fast its backlog comes to the centre, and how late what is live is meanwhile.

    python -m tests.benchmarks.catch_up [--backlog 100000]

Box and centre are whole processes (`yizhan gateway`), each with a mosquitto, on this one machine. A device at the box
flips ten times a second all the while; a flip counts once the centre's document shows it. Both clocks are one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time_ns

from gateway.model import Batch
from gateway.mqtt import Broker, Session
from gateway.store.sqlite import SqliteStore
from tests.benchmarks.figures import Figure, table
from tests.conftest import KEEPING, Mosquitto
from tests.ports import free_port

SEATS, FLIP_EVERY_S, ROWS_A_COMMIT = 50, 0.1, 1_000
PATIENCE_S = 600.0


def config(own: int, centre: int | None) -> str:
    seats = ", ".join(f"{{id: seat-{number:02}, kind: seat, ttl: 3600}}" for number in range(SEATS))
    told = f'uplink: {{url: "mqtt://127.0.0.1:{centre}", id: yanshan}}\n'
    uplink = told if centre else "uplinks: {accept: [yanshan]}\n"
    return (
        f'mqtt: {{url: "mqtt://127.0.0.1:{own}"}}\nstore: {{path: data, ballast_mib: 0}}\n{uplink}'
        'gateway: {metrics_listen: "127.0.0.1:0"}\n'
        f"stations: [{{id: yanshan, areas: [{{id: lounge, resources: [{seats}]}}]}}]\n"
    )


def fill(folder: Path, count: int) -> None:
    """A journal as if the line had been down for an hour."""
    now = time_ns() // 1_000_000
    store = SqliteStore(folder, now, ballast_mib=0)
    for first in range(0, count, ROWS_A_COMMIT):
        batch = Batch()
        for number in range(first, min(count, first + ROWS_A_COMMIT)):
            lap, seat = divmod(number, SEATS - 1)
            at = now - 3_600_000 + number * 3_600_000 // count
            payload = b'{"ts":%d,"boot":"b","seq":%d,"occupied":%b}' % (at, lap + 1, b"true" if lap % 2 else b"false")
            batch.append(b"yz/yanshan/seat-%02d/state" % (seat + 1), payload, at, 0)
        store.commit(batch, [], [], now)
    store.close()


@contextmanager
def gateway(folder: Path) -> Iterator[Callable[[], float]]:
    """Gives what asks for the seconds of processor that it has taken."""
    program = Path(sys.executable).with_name("yizhan")
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([program, "gateway", "--config", "yizhan.yaml"], cwd=folder, stderr=log)
        try:
            yield lambda: cpu_s(child.pid)
        finally:
            child.terminate()
            child.wait(60)


def cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Line:
    """A device at the box, and an eye at the centre."""

    def __init__(self, box: int, centre: int) -> None:
        self._device = Session(Broker("127.0.0.1", box), "bench-device", keep=False)
        self._eye = Session(
            Broker("127.0.0.1", centre), "bench-eye", filters=["yz-live/yanshan", "yz-ack/yanshan/yanshan"], keep=False
        )
        self._seq, self._occupied, self._flipped_at = 0, False, 0.0
        self.upto = 0
        self.waits_s: list[float] = []

    def flip(self) -> None:
        """The next one, once the one before was seen."""
        if self._flipped_at or not self._device.connected:
            return
        self._seq, self._occupied = self._seq + 1, not self._occupied
        said = {"ts": time_ns() // 1_000_000, "boot": "live", "seq": self._seq, "occupied": self._occupied}
        self._flipped_at = monotonic()
        self._device.publish("yz/yanshan/seat-00/state", json.dumps(said).encode())

    def poll(self) -> None:
        self._device.poll(0.001)
        arrivals = self._eye.poll(0.002)
        for topic, payload, _ in arrivals.frames if arrivals is not None else ():
            if topic.startswith(b"yz-ack/"):
                self.upto = json.loads(payload)["upto"]
            else:
                self._see(payload)
        if arrivals is not None:
            self._eye.ack(arrivals.epoch, arrivals.mids)

    def _see(self, payload: bytes) -> None:
        resources = [resource for area in json.loads(payload)["areas"] for resource in area["resources"]]
        shown = next(resource["use"] for resource in resources if resource["id"] == "seat-00")
        if self._flipped_at and shown == ("occupied" if self._occupied else "free"):
            self.waits_s.append(monotonic() - self._flipped_at)
            self._flipped_at = 0.0

    def close(self) -> None:
        self._device.close()
        self._eye.close()


def measure(backlog: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / "box", Path(name) / "centre"]
        brokers = []
        for folder in folders:
            (folder / "broker").mkdir(parents=True)
            brokers.append(Mosquitto(folder / "broker", free_port(), *KEEPING))
        box, centre = folders
        (box / "yizhan.yaml").write_text(config(brokers[0].port, brokers[1].port))
        (centre / "yizhan.yaml").write_text(config(brokers[1].port, None))
        fill(box / "data", backlog)
        for broker in brokers:
            broker.start()
        line = Line(brokers[0].port, brokers[1].port)
        try:
            with gateway(centre) as centre_s, gateway(box) as box_s:
                return _watched(line, backlog, centre_s, box_s)
        finally:
            line.close()
            for broker in brokers:
                broker.kill()


def _watched(line: Line, backlog: int, centre_s: Callable[[], float], box_s: Callable[[], float]) -> dict[str, float]:
    """From the first confirmation to the last."""
    begin, end, next_flip = 0.0, monotonic() + PATIENCE_S, 0.0
    first, spent_s = 0, (0.0, 0.0)
    while line.upto < backlog:
        if monotonic() > end:
            raise RuntimeError(f"only {line.upto} of {backlog} came")
        if begin and monotonic() >= next_flip:
            next_flip = monotonic() + FLIP_EVERY_S
            line.flip()
        line.poll()
        if line.upto and not begin:
            begin, first, spent_s = monotonic(), line.upto, (centre_s(), box_s())
    took, count = monotonic() - begin, line.upto - first
    centre_us, box_us = ((now() - then) * 1e6 / count for now, then in zip((centre_s, box_s), spent_s, strict=True))
    sleep(0.1)
    waits = sorted(line.waits_s) or [0.0]
    return {
        "per_s": count / took,
        "centre_us": centre_us,
        "box_us": box_us,
        "live_p50_ms": waits[len(waits) // 2] * 1000,
        "live_p99_ms": waits[min(len(waits) - 1, len(waits) * 99 // 100)] * 1000,
        "flips": float(len(waits)),
    }


def catch_up(backlog: int = 100_000) -> Iterator[Figure]:
    told = measure(backlog)
    yield Figure("a box's return: backlog confirmed by the centre", told["per_s"], "msg/s", 5_000, least=True)
    yield Figure("a message of it, processor of the centre's gateway", told["centre_us"], "µs")
    yield Figure("a message of it, processor of the box's gateway", told["box_us"], "µs")
    yield Figure("meanwhile, publish at the box → yz-live at the centre, p50", told["live_p50_ms"], "ms")
    yield Figure("meanwhile, publish at the box → yz-live at the centre, p99", told["live_p99_ms"], "ms", 1_000)
    yield Figure("flips seen", told["flips"], "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--backlog", type=int, default=100_000)
    print(table(list(catch_up(parser.parse_args().backlog))))
