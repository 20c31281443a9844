"""Another version, and back by itself: the script of the package, with a systemctl of ours that plays the service."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy/package/upgrade.sh"
# Its service is up after a start if the version that would run is not called broken.
SYSTEMCTL = """#!/bin/sh
home=$YIZHAN_LIB
[ ! -e "$YIZHAN_KEPT/in-use" ] || home=$YIZHAN_KEPT
echo "$@" >>"$STATE/calls"
unit=$2
for unit; do :; done
case "$1" in
is-active)
    [ "$(cat "$home/kind")" != falls ] || echo 1 >"$STATE/restarts"
    [ "$unit" = yizhan.service ] && [ -e "$STATE/up" ]
    ;;
is-failed) [ "$unit" = yizhan.service ] && [ ! -e "$STATE/up" ] && [ -e "$STATE/ran" ] ;;
show) cat "$STATE/restarts" 2>/dev/null || echo 0 ;;
stop) rm -f "$STATE/up" ;;
start | restart)
    rm -f "$STATE/up" "$STATE/restarts"
    touch "$STATE/ran"
    [ "$(cat "$home/kind")" != broken ] || exit 1
    touch "$STATE/up"
    ;;
esac
"""


class Box:
    def __init__(self, folder: Path) -> None:
        self.lib, self.kept, self.data, self.state = (folder / name for name in ("lib", "kept", "data", "state"))
        for made in (self.lib / "bin", self.data, self.state):
            made.mkdir(parents=True)
        (self.lib / "bin/python3").write_text("#!/bin/sh\n")
        (self.lib / "bin/python3").chmod(0o755)
        self.install("good")
        (folder / "systemctl").write_text(SYSTEMCTL)
        (folder / "systemctl").chmod(0o755)
        self.env = os.environ | {
            "YIZHAN_LIB": str(self.lib), "YIZHAN_KEPT": str(self.kept), "YIZHAN_DATA": str(self.data),
            "STATE": str(self.state), "SYSTEMCTL": str(folder / "systemctl"), "YIZHAN_HEALTH_S": "1",
        }  # fmt: skip

    def install(self, kind: str, version: str = "1.1.0") -> None:
        (self.lib / "kind").write_text(kind)
        packed = self.lib / "lib/site-packages"
        packed.mkdir(parents=True, exist_ok=True)
        for before in packed.iterdir():
            before.rmdir()
        (packed / f"yizhan-{version}.dist-info").mkdir()

    def run(self, *words: str) -> str:
        told = subprocess.run(["sh", SCRIPT, *words], env=self.env, capture_output=True, text=True, check=True)
        return told.stderr

    def begin(self) -> None:
        (self.state / "ran").touch()
        (self.state / "up").touch()

    @property
    def runs(self) -> str | None:
        home = self.kept if (self.kept / "in-use").exists() else self.lib
        return (home / "kind").read_text() if (self.state / "up").exists() else None


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_a_version_that_stays_up_stays(box: Box) -> None:
    box.begin()
    box.run("keep", "1.0")
    box.install("better")
    assert box.run("check", "1.0") == ""
    assert box.runs == "better"


def test_a_version_that_does_not_start_is_taken_back_with_its_databases(box: Box) -> None:
    box.begin()
    box.run("keep", "1.0")
    (box.data / "yizhan.db").write_text("new format")
    (box.data / "yizhan.db-wal").write_text("new")
    (box.data / "yizhan.db.before-schema-5").write_text("old format")
    (box.data / "2026-11-29.day.db").write_text("messages")
    (box.data / "rollups.db").write_text("made again")
    box.install("broken")
    assert "version 1.0 runs again" in box.run("check", "1.0")
    assert box.runs == "good"
    assert (box.kept / "in-use").read_text() == "1.1.0\n", "a centre is told which version was taken back"
    assert {path.name: path.read_text() for path in box.data.iterdir()} == {
        "yizhan.db": "old format",
        "2026-11-29.day.db": "messages",
    }


def test_copies_of_an_earlier_upgrade_and_halves_are_not_put_back(box: Box) -> None:
    box.begin()
    (box.data / "yizhan.db").write_text("of today")
    earlier = box.data / "yizhan.db.before-schema-5"
    earlier.write_text("weeks old")
    os.utime(earlier, (1_000_000, 1_000_000))
    box.run("keep", "1.0")
    (box.data / "webhooks.db.before-schema-1.part").write_text("half")
    box.install("broken")
    assert "version 1.0 runs again" in box.run("check", "1.0")
    assert {path.name: path.read_text() for path in box.data.iterdir()} == {
        "yizhan.db": "of today",
        "yizhan.db.before-schema-5": "weeks old",
        "webhooks.db.before-schema-1.part": "half",
    }


def test_a_version_that_falls_and_is_started_anew_is_taken_back(box: Box) -> None:
    box.begin()
    box.run("keep", "1.0")
    box.install("falls")
    assert "did not stay up" in box.run("check", "1.0")
    assert box.runs == "good"


def test_the_next_installation_tries_the_new_one_again_and_keeps_the_good_one(box: Box) -> None:
    box.begin()
    box.run("keep", "1.0")
    box.install("broken")
    box.run("check", "1.0")
    box.run("keep", "1.1")
    assert (box.kept / "kind").read_text() == "good", "what did not start is not kept over it"
    box.install("mended")
    box.run("check", "1.1")
    assert box.runs == "mended"


def test_what_did_not_run_is_not_started(box: Box) -> None:
    box.run("keep", "1.0")
    box.install("broken")
    assert box.run("check", "1.0") == ""
    assert box.runs is None


def test_people_take_a_version_back_that_runs_well(box: Box) -> None:
    box.begin()
    box.run("keep", "1.0")
    box.install("better")
    box.run("check", "1.0")
    box.run("back")
    assert box.runs == "good"
    assert stat.S_IMODE(SCRIPT.stat().st_mode) & 0o111
