"""Charge points that others wrote, as programs: ocpp-rpc from npm; with a checkout named in the environment also those
of lorenzodonini/ocpp-go (OCPP_GO) and of shiv3/ocpp-cp-simulator (OCPP_CP_SIMULATOR, with `bun` in PATH)."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.calls import CallAnswer, Ordered
from tests.firmware_bridge.ocpp.rig import SpoolSink, central
from tests.patience import until

pytestmark = pytest.mark.slow
PROGRAMS = Path(__file__).parent / "programs"
GO, SIMULATOR = os.environ.get("OCPP_GO"), os.environ.get("OCPP_CP_SIMULATOR")
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
needs_go = pytest.mark.skipif(GO is None, reason="OCPP_GO names no checkout of lorenzodonini/ocpp-go")
needs_simulator = pytest.mark.skipif(
    SIMULATOR is None or shutil.which("bun") is None, reason="OCPP_CP_SIMULATOR names no checkout, or there is no bun"
)
HEX = "a1b2c3d4e5f60718293a4b5c6d7e8f90"


@pytest.fixture(scope="module")
def client() -> Path:
    installed = PROGRAMS / "node_modules/.installed"
    if not installed.exists():
        subprocess.run(["npm", "ci", "--silent", "--fetch-retries=1"], cwd=PROGRAMS, check=True)
        installed.touch()
    return PROGRAMS / "client.cjs"


class Program:
    """A charge point as a process that tells what it does in lines of JSON."""

    def __init__(self, words: Sequence[object], **more: Any) -> None:
        self._process = subprocess.Popen(
            [str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more
        )

    def lines(self) -> Iterator[Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def say(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(timeout=60)


@contextlib.contextmanager
def run(*words: object, **more: Any) -> Iterator[Program]:
    program = Program(words, **more)
    try:
        yield program
    finally:
        program._process.kill()
        program.end()


def profile(number: int, folder: Path, authority: Path, password: str) -> dict[str, Any]:
    """The bus of a security profile; its charge point is CP001."""
    device: dict[str, Any] = {"device": "pile-1", "charge_point": "CP001"}
    bus: dict[str, Any] = {}
    if number in (1, 2):
        (folder / "password").write_text(password)
        device["password_file"] = folder / "password"
    if number in (2, 3):
        bus = {
            "port": "wss://127.0.0.1:0/ocpp", "cert_file": authority / "box.pem", "key_file": authority / "box.key",
        }  # fmt: skip
    if number == 3:
        bus["client_ca_file"] = authority / "ca.pem"
    return bus | {"devices": [device]}


def reset_by_staff(sink: SpoolSink) -> list[CallAnswer]:
    answers: list[CallAnswer] = []
    (caller,) = sink.desk._callers
    caller.carry_out(Ordered(do="reset", device="pile-1"), answers.append)
    return answers


@needs_npm
@pytest.mark.parametrize(("number", "version"), [(0, "ocpp1.6"), (1, "ocpp1.6"), (2, "ocpp2.0.1"), (3, "ocpp1.6")])
def test_ocpp_rpc_lives_a_whole_charge_and_finds_every_word_of_ours_valid(
    tmp_path: Path, authority: Path, client: Path, number: int, version: str
) -> None:
    secret = "a password, long enough"
    files = [authority / f"{name}" for name in ("ca.pem", "CP001.pem", "CP001.key")]
    words = [secret if number in (1, 2) else "-", *(files[: {2: 1, 3: 3}.get(number, 0)])]
    with (
        central(tmp_path, **profile(number, tmp_path, authority, secret)) as (bus, sink, address),
        run("node", client, f"{address}/CP001", version, *words) as pile,
    ):
        told = []
        for line in pile.lines():
            told.append(line)
            if line[0] in ("done", "error"):
                break
        assert told[-1] == ["done", version], told
        assert not [line for line in told if line[0] == "invalid"]
        answers = reset_by_staff(sink)
        until(lambda: answers, "the answer")
        assert answers == [{"result": {"status": "Accepted"}}]
        assert [charge["energy_wh"] for charge in sink.transactions("pile-1")] == [800]
        assert bus.mishaps.count == 0


@needs_npm
@pytest.mark.parametrize(
    ("number", "words", "told_us"),
    [
        (1, ["wrong"], "its password is not that of its password_file"),
        (1, ["-"], "it sends no password: set security profile 1 or 2 at the pile"),
        (2, ["a password, long enough"], "install who signed cert_file at the pile"),
        (3, ["-", "ca.pem"], "the pile shows no certificate: install one at the pile (profile 3)"),
        (3, ["-", "ca.pem", "stranger.pem", "stranger.key"], "not signed by client_ca_file"),
        (3, ["-", "ca.pem", "CP002.pem", "CP002.key"], "its common name must be CP001"),
    ],
)
def test_ocpp_rpc_is_refused_and_the_log_says_what_helps(
    tmp_path: Path, authority: Path, client: Path, number: int, words: list[str], told_us: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    files = [authority / word if word.endswith((".pem", ".key")) else word for word in words]
    with (
        central(tmp_path, **profile(number, tmp_path, authority, "a password, long enough")) as (_, sink, address),
        run("node", client, f"{address}/CP001", "ocpp1.6", *files) as pile,
    ):
        assert next(pile.lines())[0] == "error"
        until(lambda: told_us in caplog.text, told_us)
        assert not sink.online


@needs_go
@pytest.mark.parametrize("example", ["1.6/cp", "2.0.1/chargingstation"])
def test_the_examples_of_ocpp_go_live_a_charge(tmp_path: Path, example: str) -> None:
    program = tmp_path / "charge-point"
    subprocess.run(["go", "build", "-o", str(program), f"./example/{example}"], cwd=GO, check=True)
    with central(tmp_path) as (bus, sink, address):
        place = os.environ | {"CLIENT_ID": "CP001", "CENTRAL_SYSTEM_URL": address, "CSMS_URL": address}
        with run(program, env=place, stderr=subprocess.DEVNULL):
            until(lambda: sink.transactions("pile-1"), "a transaction has ended")
        assert bus.mishaps.count == 0


@needs_simulator
@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("version", ["OCPP-1.6J", "OCPP-2.0.1", "OCPP-2.1"])
def test_the_simulator_charges_under_every_profile(tmp_path: Path, authority: Path, number: int, version: str) -> None:
    for name in ("CP001.key",):
        (authority / name).chmod(0o600)
    options: list[object] = ["--security-profile", number]
    if number in (1, 2):
        options += ["--authorization-key", HEX]
    if number in (2, 3):
        options += ["--tls-ca", authority / "ca.pem"]
    if number == 3:
        options += ["--tls-cert", authority / "CP001.pem", "--tls-key", authority / "CP001.key"]
    with central(tmp_path, **profile(number, tmp_path, authority, HEX)) as (bus, sink, address):
        words = ["bun", "src/cli/main.ts", "--cp-id", "CP001", "--ws-url", f"{address}/CP001", "--json"]
        with run(*words, "--ocpp-version", version, *options, cwd=SIMULATOR, stderr=subprocess.DEVNULL) as pile:
            pile.say({"id": "1", "command": "connect"})
            until(lambda: "status" in sink.signals("pile-1"), "its status")
            pile.say({"id": "2", "command": "start_transaction", "params": {"connector": 1, "tagId": "04A1B2C3"}})
            until(lambda: sink.transactions("pile-1", "started"), "it charges")
            pile.say({"id": "3", "command": "set_meter_value", "params": {"connector": 1, "value": 4000}})
            pile.say({"id": "4", "command": "stop_transaction", "params": {"connector": 1}})
            until(lambda: sink.transactions("pile-1"), "it has ended")
        assert sink.transactions("pile-1")[0]["energy_wh"] == 4000
        assert bus.mishaps.count == 0
