"""A VictoriaMetrics of one's own on loopback, for tests and figures: a real engine that takes the line protocol."""

import json
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.patience import until

PROGRAM = shutil.which("victoria-metrics")


class Victoria:
    """It keeps its port and data over `stop` and `start`. Times count to the millisecond, the same twice is one."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            return
        assert PROGRAM is not None
        words = (
            f"-storageDataPath={self._folder}/victoria", f"-httpListenAddr=127.0.0.1:{self.port}",
            "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y", "-memory.allowedBytes=200MB",
            "-loggerLevel=ERROR", "-search.latencyOffset=0s",
        )  # fmt: skip
        self._process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, what="victoria-metrics answering")

    def _answers(self) -> bool:
        try:
            return bool(self._get("/health") == b"OK")
        except (OSError, urllib.error.URLError):
            return False

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return bytes(answer.read())

    def rows(self, metric: str) -> list[tuple[str, int, float]]:
        """(resource, ms, value) of every stored sample of a metric."""
        self._get("/internal/force_flush")
        rows = []
        for line in self._get(f"/api/v1/export?match[]={metric}&start=0").splitlines():
            series = json.loads(line)
            pairs = zip(series["timestamps"], series["values"], strict=True)
            rows += [(series["metric"]["resource"], at, value) for at, value in pairs]
        return rows

    def labels(self, metric: str) -> dict[str, str]:
        """The labels of the first series of a metric."""
        self._get("/internal/force_flush")
        return dict(json.loads(self._get(f"/api/v1/export?match[]={metric}&start=0").splitlines()[0])["metric"])

    def freeze(self) -> None:
        """It takes connections and bytes and answers nothing, until `start` thaws it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """Without a word, and with what was not on its disk yet."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def stop(self) -> None:
        """In order: what it has answered for is on its disk. (Killed, it loses the last seconds of that.)"""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(10)
            self._process = None
