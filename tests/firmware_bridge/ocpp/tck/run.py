"""open-ocpp-tck against the whole product: broker, `yizhan up`, `yizhan bridge`, and the suite's own charge point.

    python -m tests.firmware_bridge.ocpp.tck.run SUITE SIMULATOR BUN [words for ocpp-tck, by default run-all]

SUITE is a checkout of github.com/juherr/open-ocpp-tck, SIMULATOR one of github.com/shiv3/ocpp-cp-simulator, each with
`bun install` done, BUN the program. The suite starts its charge point by `docker run`: a program of that name that
comes first in PATH starts the checkout instead. Tags that the suite sends to a charge point are replaced by tokens that
the product made, for it lets no others be sent. Results are in SUITE/results.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.base.clock import now_ms
from gateway.commands import make_token
from gateway.commands.key import read_key
from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.test_product import House, reachable
from tests.patience import until
from tests.ports import free_port

PILES = ("CERTCP1", "CERTCP2", "CERTCP3")
CARDS = (
    *(f"CERT{number:03}" for number in (3, 4, 5, 10, 11, 12, 13, 14, 17, 18, 28, 56, 57, 59)),
    "CERT-RES01", "CE712001",
)  # fmt: skip
REFUSED = (("CERT023-EXP", "until 2020-01-31"), ("CERT023-BLK", "blocked"))
SENT = ("CERT-TAG-1", "CERT-TAG-2")
HEARTBEAT_S = 19  # TC_001 watches for 20 seconds and asks for one, TC_055 for 18 and wants none

SHIM = """#!/bin/sh
# `docker run … --entrypoint bun IMAGE src/cli/main.ts WORDS` is the checkout's own; `ps`, `stop` and `rm` find nothing.
[ "$1" = run ] || exit 0
shift
while [ $# -gt 0 ]; do
  case "$1" in
    -v) trace="${2%%:/trace}"; shift 2 ;;
    --name|--network|--entrypoint) shift 2 ;;
    -*) shift ;;
    *) shift; break ;;
  esac
done
for word; do
  shift
  case "$word" in /trace/*) word="$trace/${word#/trace/}" ;; esac
  set -- "$@" "$word"
done
cd "SIMULATOR" && exec "BUN" "$@"
"""


def house(folder: Path, broker: Mosquitto) -> House:
    made = House(folder, broker)
    settings = json.loads(made.config.read_text())
    devices = [{"device": f"{pile.lower()}-1", "charge_point": pile, "connector": 1} for pile in PILES]
    bridge = settings["bridge"]
    bridge["buses"][0] |= {"devices": devices, "authorize": "list", "heartbeat_s": HEARTBEAT_S}
    bridge |= {"card_rotation": "never", "allow_list_file": "allowed"}
    settings["stations"][0]["areas"][0]["resources"] = [
        {"id": device["device"], "kind": "charger", "type": "ev"} for device in devices
    ]
    (folder / "allowed").write_text("")
    made.config.write_text(json.dumps(settings))
    program = Path(sys.executable).with_name("yizhan")
    words = [str(program), "bridge", "--config", str(made.config), "--enroll"]
    lines = [
        subprocess.run(words, input=f"{card}\n".encode(), capture_output=True, check=True).stdout.decode().strip()
        + f" {standing}\n"
        for card, standing in (*((card, "") for card in CARDS), *REFUSED)
    ]
    (folder / "allowed").write_text("".join(lines))
    return made


def with_our_tokens(suite: Path, folder: Path, key: bytes) -> Path:
    copy = folder / "suite"
    shutil.copytree(suite, copy, symlinks=True, ignore=shutil.ignore_patterns("results", ".git"))
    tokens = {tag: make_token(key, now_ms()) for tag in SENT}
    for spec in (copy / "tck/specs").glob("*.ts"):
        text = spec.read_text()
        for tag, token in tokens.items():
            text = text.replace(tag, token)
        spec.write_text(text)
    return copy


def main(suite: Path, simulator: Path, bun: Path, words: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder, free_port(), *KEEPING)
        broker.start()
        made = house(folder, broker)
        try:
            made.start("up")
            made.start("bridge")
            until(lambda: made.ask("/readyz") is not None, "the gateway is ready")
            until(lambda: reachable(made.piles), "the bridge listening")
            admin = made.run("keys", "create", "--role", "admin", "--name", "suite").split()[-1]
            key = read_key(next(folder.rglob("command.key"))) or b""
            copy = with_our_tokens(suite, folder, key)
            shim = folder / "bin/docker"
            shim.parent.mkdir()
            shim.write_text(SHIM.replace("SIMULATOR", str(simulator)).replace("BUN", str(bun)))
            shim.chmod(0o755)
            program = Path(sys.executable).with_name("yizhan")
            environment = os.environ | {
                "PATH": f"{shim.parent}:{bun.parent}:{os.environ['PATH']}",
                "CSMS_DRIVER": str(Path(__file__).with_name("driver.ts")), "OCPP_CP_IDS": ",".join(PILES),
                "OCPP_TCK_RESULTS_DIR": str(suite / "results"), "YIZHAN_API": f"http://127.0.0.1:{made.http}",
                "YIZHAN_KEY": admin, "YIZHAN_CARD_KEY": "ab" * 32, "YIZHAN_PILES": f"{made.address}/",
                "YIZHAN_TAGS": ",".join(CARDS),
                "YIZHAN_EXPORT": "\n".join([str(program), "export", "--config", str(made.config)]),
            }  # fmt: skip
            done = subprocess.run([str(bun), "bin/ocpp-tck.ts", *words], check=False, cwd=copy, env=environment)
            shutil.copy(folder / "bridge.log", suite / "results/bridge.log")
            return done.returncode
        finally:
            made.stop()
            broker.kill()


if __name__ == "__main__":
    suite, simulator, bun, *words = sys.argv[1:]
    sys.exit(main(Path(suite), Path(simulator), Path(bun), words or ["run-all"]))
