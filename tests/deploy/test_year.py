"""N, N+1 and back to N over a year of a station: it stays as it is, hardly anybody notices, the bridge loses nothing.

Real packages in a bare Debian 12, with `service.py` as its systemctl. N+1 brings another format of two databases. The
broken one changes them, too, and falls.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.emulator.serial.board import Board
from firmware_bridge.emulator.serial.wire import Cable
from gateway.base.clock import now_ms
from tests.deploy import year
from tests.deploy.test_package import built
from tests.patience import until
from tests.ports import free_port

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(shutil.which("mmdebstrap") is None or os.geteuid() != 0, reason="needs mmdebstrap and root"),
]
DAYS = 365
OFF_AIR_S = 10.0
MOST_COUNTS = 9_900
"""A counter of people that says more is not believed."""
PATIENT = 2.0
"""So many times a plain restart an upgrade may be off the air on a busy machine."""
PACKED = "usr/lib/yizhan/lib/site-packages"
NEEDED = "python3,adduser,libstdc++6,init-system-helpers"


class Root:
    """A bare Debian with its services, which are reached from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.http, self.mqtt = folder / "root", free_port(), free_port()
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={NEEDED}", "bookworm", str(self.folder)]
        subprocess.run(command, check=True)
        shutil.copy(Path(__file__).with_name("service.py"), self.folder / "usr/bin/systemctl")
        (self.folder / "usr/bin/systemctl").chmod(0o755)
        self.board = Board(year.BOARD, MOST_COUNTS)
        self.cable = Cable(folder / "tty", self.board, baud=115_200, tick_s=0.1).start()
        self.cable.path.resolve().chmod(0o666)

    def configured(self) -> None:
        """Before the first installation; a counter is on a serial line."""
        port = str(self.cable.path.resolve())
        bus = {"id": "hall", "port": port, "baud": 115_200, "protocol": "yizhan"}
        config = {
            "mqtt": {"url": f"embedded://127.0.0.1:{self.mqtt}", "keepalive_s": 4, "reconnect_max_s": 1},
            "api": {"listen": f"127.0.0.1:{self.http}"},
            "gateway": {"ack_interval_s": 1},
            "store": {"path": "/var/lib/yizhan", "ballast_mib": 0},
            "stations": [{"id": year.STATION, "hours": "24/7", "areas": year.areas()}],
            "bridge": {
                "station": year.STATION,
                "id": "box-1",
                "spool": {"path": "/var/lib/yizhan/spool"},
                "buses": [bus],
            },
        }
        (self.folder / "etc/yizhan").mkdir()
        (self.folder / "etc/yizhan/house.yaml").write_text(json.dumps(config))
        self.run("chmod -R a+rX /etc/yizhan")

    def run(self, script: str, *, check: bool = True) -> str:
        inside = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" sh -ec "$1"'
        told = subprocess.run(
            ["unshare", "--mount", "bash", "-c", inside, str(self.folder), script],
            capture_output=True, text=True, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert told.returncode == 0 or not check, told.stdout + told.stderr
        return told.stdout

    def install(self, package: Path) -> str:
        shutil.copy(package, self.folder / "root/yizhan.deb")
        return self.run("dpkg -i /root/yizhan.deb 2>&1")

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def export(self, *more: str) -> str:
        return self.run(f"yizhan export --config /etc/yizhan {' '.join(more)}")

    def version(self) -> str:
        return self.run("yizhan --version").split()[-1]

    def end(self) -> None:
        for note in (self.folder / "run/service").glob("*.pid"):
            try:
                os.kill(int(note.read_text()), signal.SIGKILL)
            except (OSError, ValueError):
                continue
        self.cable.stop()


class OffAir:
    """The longest time in which /readyz did not answer well, looked at twenty times a second."""

    def __init__(self, root: Root) -> None:
        self.longest_s, self._looks, self._root, self._stop = 0.0, 0, root, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "OffAir":
        self._thread.start()
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:
            looks = self._looks
            until(lambda: self._root.ready() and self._looks > looks + 2, "ready again, and looked at")
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        good = time.monotonic()
        while not self._stop.wait(0.05):
            if self._root.ready():
                self.longest_s, good = max(self.longest_s, time.monotonic() - good), time.monotonic()
            self._looks += 1


def changed(package: Path, version: str, target: Path, *, broken: bool = False) -> Path:
    """The package as another version: with formats of databases that are one further, and perhaps broken after that."""
    work = target / version
    subprocess.run(["dpkg-deb", "-R", str(package), str(work)], check=True)
    _edit(work / "DEBIAN/control", r"^Version: .*$", f"Version: {version}")
    (told,) = (work / PACKED).glob("yizhan-*.dist-info")
    _edit(told / "METADATA", r"^Version: .*$", f"Version: {version}")
    store = work / PACKED / "gateway/store"
    for schema in ("core", "rollup"):
        newest = max(int(path.stem.split("-")[1]) for path in (store / "schema").glob(f"{schema}-*.sql"))
        (store / f"schema/{schema}-{newest + 1}.sql").write_text("CREATE TABLE of_the_next_version (one INTEGER);\n")
        _edit(store / "files.py", rf'"{schema}": {newest}\b', f'"{schema}": {newest + 1}')
    if broken:
        product = work / PACKED / "api/product.py"
        text = product.read_text()
        at = text.index("        ready(sock)\n")
        product.write_text(f"{text[:at]}        raise SystemExit('this version is broken')\n{text[at:]}")
    made = target / f"yizhan_{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(work), str(made)], check=True)
    return made


def _edit(path: Path, pattern: str, text: str) -> None:
    before = path.read_text("utf-8")
    after = re.sub(pattern, text, before, count=1, flags=re.MULTILINE)
    assert after != before, f"{path}: {pattern}"
    path.write_text(after, "utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    made = Root(tmp_path)
    yield made
    made.end()


def counted(root: Root) -> list[int]:
    """What the counter said, as it is stored, in order."""
    rows = [json.loads(row) for row in root.export("--from", f"{began(root)}").splitlines()]
    told = [row["data"] for row in rows if row["device"] == year.BOARD and row["kind"] == "state"]
    return [data["people"] for data in told if "people" in data]


def began(root: Root) -> str:
    return (root.folder / "root/began").read_text()


def test_a_year_goes_to_the_next_version_and_back_unchanged_and_the_bridge_loses_nothing(
    root: Root, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = built("amd64", tmp_path, "1.0.0")
    second, broken = changed(first, "1.1.0", tmp_path), changed(first, "1.2.0", tmp_path, broken=True)
    root.configured()
    root.install(first)
    root.run("systemctl stop yizhan.service")
    now = now_ms()
    with (root.folder / "root/year.jsonl").open("w") as file:
        rows = sum(file.write(f"{line}\n") > 0 for line in year.messages(now, DAYS))
    (root.folder / "root/began").write_text(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now / 1000)))
    root.run("yizhan import --config /etc/yizhan --input /root/year.jsonl && chown -R yizhan: /var/lib/yizhan")
    root.run("systemctl start yizhan.service")
    root.run("systemctl start yizhan-bridge.service")
    until(lambda: len(root.board.confirmed) > 20, "the bridge")
    upto = f"--to {began(root)}"
    before = root.export(upto)
    stored = before.count("\n")
    assert stored == rows

    figures: dict[str, Any] = {"rows": rows}
    with OffAir(root) as gap:
        root.run("systemctl restart yizhan.service")
    figures["plain restart"] = round(gap.longest_s, 1)
    steps = (("1.1.0", second, "1.1.0"), ("back", None, "1.0.0"), ("1.2.0, broken", broken, "1.0.0"))
    for name, package, version in steps:
        with OffAir(root) as gap:
            told = root.install(package) if package is not None else root.run("/usr/lib/yizhan/upgrade back 2>&1")
        assert root.version() == version, told
        assert ("runs again" in told) == (name != "1.1.0"), told
        unchanged = root.export(upto) == before
        assert unchanged, name
        figures[name] = round(gap.longest_s, 1)
        until(lambda count=root.board.count: len(root.board.confirmed) > count, "the bridge goes on")
    root.board.limit = root.board.count
    until(lambda: len(root.board.confirmed) == root.board.count, "the board is told of all")
    until(lambda: counted(root)[-1:] == [root.board.count], "all is stored")
    assert sorted(set(counted(root))) == list(range(1, root.board.count + 1))
    with capsys.disabled():
        print(f"\n{figures}, {root.board.count} of {root.board.count} counts of the bridge")
    for name, starts in (("1.1.0", 1), ("back", 1), ("1.2.0, broken", 2)):
        # On a machine with other work a plain restart takes as long by itself.
        assert figures[name] <= max(OFF_AIR_S, PATIENT * starts * figures["plain restart"]), figures
