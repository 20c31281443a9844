"""The Arduino sketch itself, compiled for this machine with a small shim, talks with the bridge's level 2."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.devices.yizhan import YizhanPackets
from firmware_bridge.door import Doors, Rules
from tests.patience import PATIENCE_S

from .test_framing import FIRMWARE

# Reads one command a line: `t MS` lets time pass, `s 0|1` sets the sensor, `r HEX` is received, `q` asks what was sent.
SHIM = r"""
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
static uint32_t now_ms; static bool sensor; static std::deque<uint8_t> rx; static std::string tx;
enum { INPUT, SERIAL_8N1 };
static uint32_t millis() { return now_ms; }
static void delay(uint32_t ms) { now_ms += ms; }
static void pinMode(int, int) {}
static bool digitalRead(int) { return sensor; }
struct Uart {
  void begin(int, int, int, int) {}
  int available() { return (int)rx.size(); }
  int read() { int byte = rx.front(); rx.pop_front(); return byte; }
  void write(const uint8_t *data, size_t size) { tx.append((const char *)data, size); }
} Serial1;
#include "yizhan_seat.ino"
int main() {
  char row[8192];
  setup();
  while (fgets(row, sizeof row, stdin)) {
    unsigned value = 0;
    if (row[0] == 't') { sscanf(row + 2, "%u", &value); uint32_t end = now_ms + value; while (now_ms < end) loop(); }
    if (row[0] == 's') sensor = row[2] == '1';
    if (row[0] == 'r') for (char *at = row + 2; sscanf(at, "%2x", &value) == 1; at += 2) rx.push_back((uint8_t)value);
    if (row[0] == 'q') {
      for (unsigned char byte : tx) printf("%02x", byte);
      puts(""); fflush(stdout); tx.clear();
    }
  }
}
"""


class Sketch:
    def __init__(self, program: Path) -> None:
        self._child = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, *commands: str) -> bytes:
        """Carry them out; what the board has sent since the last time."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write("".join(command + "\n" for command in (*commands, "q")))
        self._child.stdin.flush()
        return bytes.fromhex(self._child.stdout.readline().strip())

    def close(self) -> None:
        self._child.communicate(timeout=PATIENCE_S)


@pytest.fixture
def sketch(tmp_path: Path) -> Iterator[Sketch]:
    compiler = shutil.which("c++")
    assert compiler, "no C++ compiler: apt-get install g++"
    (tmp_path / "shim.cpp").write_text(SHIM)
    folder = FIRMWARE / "arduino" / "yizhan_seat"
    flags = ["-std=c++17", "-Wall", "-Wno-unused-function", "-fsanitize=address,undefined"]
    subprocess.run([compiler, *flags, "-I", str(folder), "shim.cpp", "-o", "sketch"], cwd=tmp_path, check=True)
    board = Sketch(tmp_path / "sketch")
    yield board
    board.close()


def test_the_sketch_says_hello_then_its_state_and_repeats_until_it_is_acknowledged(sketch: Sketch) -> None:
    talk = YizhanPackets(None, Doors(Rules()))
    stored: list[tuple[str, object]] = []

    def hear(data: bytes) -> str:
        """What the bridge answers, as a command for the board."""
        heard = talk.feed(data, 0)
        stored.extend((reading.device, reading.signals) for frame in heard for reading in frame.readings)
        return "r " + b"".join(frame.reply for frame in heard).hex()

    hello = sketch.do("t 500")
    assert sketch.do("t 800") == hello  # nobody answered: the same bytes again
    state = sketch.do(hear(hello), "t 100")
    assert stored == [("seat-01", {"firmware": "seat-1.0"})]
    assert sketch.do("r 00ffee00", hear(state), "t 5000") == b""
    assert sketch.do("s 1", "t 1900") == b""  # a change must last
    occupied = sketch.do("t 300")
    assert sketch.do(hear(occupied), "t 20000") == b""
    beat = sketch.do("t 10500")
    assert sketch.do(hear(beat), "t 1000") == b""
    polled = sketch.do("r " + talk.opened(0).hex(), "t 100")
    assert hear(polled)
    assert [signals for _, signals in stored[1:]] == [{"occupied": False}] + [{"occupied": True}] * 3
