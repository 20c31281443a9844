"""What charging piles cost: a bridge's processor and memory with many, and the time that the relay to an operator adds.

    python -m tests.benchmarks.piles [--piles 2000] [--seconds 60] [--tls | --relay | --at-once [--share 0.2]]

The piles are another process (`pile_load`), the broker mosquitto; nobody confirms what the bridge sends.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.brokers import mosquitto
from tests.benchmarks.runs import child, expect, line, say
from tests.patience import until
from tests.ports import free_port

TICKS = os.sysconf("SC_CLK_TCK")
SLICE_S = 0.1


def certificate(folder: Path) -> dict[str, str]:
    """Options of a bus with a certificate for loopback, which signs itself."""
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    files = ["-keyout", "box.key", "-out", "box.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*words.split(), *files], cwd=folder, check=True, capture_output=True)
    return {"cert_file": str(folder / "box.pem"), "key_file": str(folder / "box.key")}


@contextlib.contextmanager
def bridge(folder: Path, broker: int, piles: int, scheme: str = "ws", **more: str) -> Iterator[tuple[int, str]]:
    """The process of a bridge that is up, and the address that piles dial."""
    port = free_port()
    devices = [{"device": f"pile-{number:05d}", "charge_point": f"CP{number:05d}"} for number in range(piles)]
    bus = {"id": "piles", "port": f"{scheme}://127.0.0.1:{port}/ocpp", "protocol": "ocpp", "devices": devices} | more
    settings = {
        "mqtt": {"url": f"mqtt://127.0.0.1:{broker}"}, "store": {"path": "data"},
        "stations": [{"id": "s1", "name": {"zh": "站"}, "hours": "24/7", "areas": []}],
        "bridge": {"station": "s1", "id": "box", "spool": {"path": "spool"}, "buses": [bus]},
    }  # fmt: skip
    (folder / "config.yaml").write_text(json.dumps(settings))
    words = [sys.executable, "-m", "api.cli", "bridge", "--config", str(folder / "config.yaml")]
    with (folder / "bridge.log").open("wb") as log:
        process = subprocess.Popen(words, stderr=log)
    try:
        until(lambda: _listening(port), "the bridge listening")
        yield process.pid, f"{scheme}://127.0.0.1:{port}/ocpp"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _listening(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 5):
        return True


def cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def memory_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(text.split()[1]) for text in lines if text.startswith("VmRSS"))


def many(piles: int, seconds: float, *, tls: bool) -> dict[str, Any]:
    """A status every 60 s of each, a fifth of them with meter values every 10 s, and a transaction of ten minutes."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder = Path(name)
        more = certificate(folder) if tls else {}
        with bridge(folder, broker, piles, "wss" if tls else "ws", **more) as (pid, address):
            alone_kib = memory_kib(pid)
            ca = more.get("cert_file", "-")
            with child("pile_load", address, piles, piles / 50, seconds, 60, 10, 20, ca, 600) as load:
                expect(load, "ready")
                before_s, begun = cpu_s(pid), time.monotonic()
                connected_kib = memory_kib(pid)
                say(load, "go")
                told = dict(json.loads(line(load)))
                used_s, took_s = cpu_s(pid) - before_s, time.monotonic() - begun
            told["cpu_percent"] = round(100 * used_s / took_s, 1)
            told["memory_mib"] = memory_kib(pid) // 1024
            told["connection_kib"] = round((connected_kib - alone_kib) / piles, 1)
            return told


@contextlib.contextmanager
def slowed(pid: int, share: float) -> Iterator[None]:
    """The process gets only so much of the time, as if its machine were smaller."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            os.kill(pid, signal.SIGSTOP)
            ended.wait(SLICE_S * (1 - share))
            os.kill(pid, signal.SIGCONT)
            ended.wait(SLICE_S * share)

    thread = threading.Thread(target=run)
    if share < 1:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if share < 1:
            thread.join()


def at_once(piles: int, patience_s: float, share: float) -> dict[str, Any]:
    """All dial by TLS within a second, each gives a dial up after so long, and the bridge has a share of the time."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        more = certificate(Path(name))
        with bridge(Path(name), broker, piles, "wss", **more) as (pid, address):
            begun, before_s = time.monotonic(), cpu_s(pid)
            with child("pile_load", address, piles, 1, 5, 60, 10, 20, more["cert_file"], 600, patience_s) as load:
                with slowed(pid, share):
                    expect(load, "ready")
                took_s, used_s = time.monotonic() - begun, cpu_s(pid) - before_s
                say(load, "go")
                told = dict(json.loads(line(load)))
    return {"all_in_s": round(took_s, 1), "bridge_cpu_s": round(used_s, 1)} | {
        key: told[key] for key in ("lost", "given_up")
    }


def relayed(piles: int, seconds: float) -> dict[str, Any]:
    """The same calls to the operator directly and through the bridge: p50 and p99 of each, and what is between."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder, port = Path(name), free_port()
        (folder / "relay.key").write_text("ab" * 32)
        (folder / "relay.key").chmod(0o600)
        words = [sys.executable, "-m", "tests.firmware_bridge.ocpp.upstream_process", str(port), str(folder / "heard")]
        operator = subprocess.Popen(words)
        try:
            until(lambda: _listening(port), "the operator listening")
            direct = f"ws://127.0.0.1:{port}/ocpp"
            told = {f"direct_{key}": value for key, value in _load(direct, piles, seconds).items()}
            keys = {"upstream": direct, "relay_key_file": str(folder / "relay.key")}
            with bridge(folder, broker, piles, **keys) as (_, address):
                told |= {f"relayed_{key}": value for key, value in _load(address, piles, seconds).items()}
        finally:
            operator.kill()
            operator.wait()
        for part in ("p50", "p99", "steps_p50", "steps_p99"):
            told[f"added_{part}_ms"] = round(told[f"relayed_{part}_ms"] - told[f"direct_{part}_ms"], 2)
        return told


def _load(address: str, piles: int, seconds: float) -> dict[str, Any]:
    """Statuses every two seconds, meter values every second of all, and transactions."""
    with child("pile_load", address, piles, piles / 50, seconds, 2, 1, 100, "-", 60) as load:
        expect(load, "ready")
        say(load, "go")
        return dict(json.loads(line(load)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--piles", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--relay", action="store_true")
    parser.add_argument("--at-once", action="store_true", help="dials by TLS, each given up after ten seconds")
    parser.add_argument("--share", type=float, default=1.0, help="of the time, for the bridge; with --at-once")
    asked = parser.parse_args()
    if asked.at_once:
        print(json.dumps(at_once(asked.piles, 10, asked.share)))
    elif asked.relay:
        print(json.dumps(relayed(asked.piles, asked.seconds)))
    else:
        print(json.dumps(many(asked.piles, asked.seconds, tls=asked.tls)))
