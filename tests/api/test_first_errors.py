"""The first error of each command says what to do next, and none of them is a traceback."""

import errno
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from api.cli import main
from api.commands import COMMANDS
from api.mends import MENDS, next_step, told
from tests.api.test_store_commands import quiet_logs as quiet_logs
from tests.docs.reading import ROOT

GOOD = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
api: {{listen: "127.0.0.1:{http}"}}
store: {{path: {store}, ballast_mib: 0}}
stations:
  - id: yanshan
    areas: [{{id: lounge, resources: [{{id: seat-01, kind: seat}}]}}]
"""
BEGIN = r"config/example\.yaml is one to copy, and `yizhan up` without it opens an empty house"
# What is typed, with {good} a configuration whose port is taken, {bad} one with a mistake, {none} a path where nothing
# is; the exit status; what is said.
TABLE: Sequence[tuple[str, int, str]] = (
    ("", 2, r"begin with `yizhan demo`"),
    ("dmeo", 2, r"did you mean `yizhan demo`\?"),
    ("conifg", 2, r"did you mean `yizhan config`\?"),
    ("xyzzy", 2, r"`yizhan --help` has the commands"),
    ("demo --http nonsense", 2, r"is not host:port; write it like 127\.0\.0\.1:8080"),
    ("demo --mqtt 127.0.0.1", 2, r"is not host:port; write it like 127\.0\.0\.1:8080"),
    ("demo --stations many", 2, r"`yizhan demo --help` says what it takes"),
    ("up --config {none}", 2, r"No such file.*\n.*" + BEGIN),
    ("up --config {bad}", 2, r"bad\.yaml:\d+: .*;"),
    ("up --config {folder}", 2, r"holds no \*\.yaml file; put the configuration there"),
    ("up --config {good} --http 127.0.0.1:80", 2, r"--config"),
    ("gateway --config {none}", 2, BEGIN),
    ("gateway", 2, BEGIN),
    ("api --config {none}", 2, BEGIN),
    ("api --config {good}", 1, r"is in use; stop what listens there, or set another port"),
    ("up --config {good}", 1, r"is in use; stop what listens there, or set another port"),
    ("check", 2, BEGIN),
    ("check --config {none}", 2, BEGIN),
    ("check --config {utf16}", 2, r"is UTF-16; save it as UTF-8"),
    ("config", 2, r"`yizhan config --help`"),
    ("config log --config {none}", 2, BEGIN),
    ("config show --config {good} 7", 2, r"see `yizhan config log`"),
    ("reload --config {none}", 2, BEGIN),
    ("reload --config {good}", 1, r"nothing runs with .*; the next start reads the files"),
    ("doctor --config {none}", 2, BEGIN),
    ("export --config {none}", 2, BEGIN),
    ("export --config {good} --from yesterday", 2, r"is no time: write 2026-11-21T08:00:00\+08:00"),
    ("export --config {good} --station nowhere", 0, r"the configuration has no 'nowhere'; it has yanshan"),
    ("import --config {good} --input {none}", 1, r"nowhere\.yaml: No such file or directory; correct the path"),
    ("import --config {good} --input {folder}", 1, r"it is a folder: name a file in it"),
    ("replay --config {good} --input {none}", 1, r"nowhere\.yaml: No such file or directory; correct the path"),
    ("replay --config {good}", 2, r"`yizhan replay --help`"),
    ("backup --config {good}", 2, r"there is no `backup:` section in the configuration; add one, or say --to DIR"),
    ("backup --config {good} --to /proc/backup", 1, r"holds no store to back up: check store\.path"),
    ("restore --config {good}", 2, r"`yizhan restore --help`"),
    ("restore --config {fresh} --from {none}", 1, r"nowhere\.yaml.*"),
    ("keys create --config {none} --role viewer --name x", 2, BEGIN),
    ("keys create --config {good} --role boss --name x", 2, r"choose from .*\n.*`yizhan keys create --help`"),
    ("keys create --config {good} --role viewer --name x --stations nowhere", 2, r"not in the configuration: nowhere"),
    ("keys revoke --config {good} nope", 1, r"there is no key nope; see `yizhan keys list`"),
    ("store compare --config {good}", 2, r"store\.influx is not set"),
    ("audit verify --config {none}", 2, BEGIN),
    ("discover --config {none}", 2, BEGIN),
    ("simulate --config {none}", 2, BEGIN),
    ("compliance", 2, BEGIN),
    ("device", 2, r"`yizhan device --help`"),
    ("device list --config {none}", 2, BEGIN),
    ("bridge", 2, r"give --config PATH, or --probe to see what is connected"),
    ("bridge --config {good}", 2, r"there is no `bridge:` section; config/example\.yaml shows one"),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    here = tmp_path_factory.mktemp("first")
    (here / "folder").mkdir()
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        taken = sock.getsockname()[1]
        (here / "good.yaml").write_text(GOOD.format(mqtt=1, http=taken, store="data"))
        (here / "fresh.yaml").write_text(GOOD.format(mqtt=1, http=taken, store="fresh"))
        (here / "bad.yaml").write_text("stations: [")
        (here / "utf16.yaml").write_bytes(b"\xff\xfea\x00")
        assert main(["keys", "create", "--config", str(here / "good.yaml"), "--role", "viewer", "--name", "x"]) == 0
        names = {name: here / f"{name}.yaml" for name in ("good", "fresh", "bad", "utf16")}
        yield {**names, "none": here / "nowhere.yaml", "folder": here / "folder", "taken": taken}


def run(words: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    try:
        status = main(words.split())
    except SystemExit as end:
        status = int(end.code or 0)
    said = capfd.readouterr()
    return status, said.out + said.err


@pytest.mark.parametrize(("words", "status", "says"), TABLE, ids=[row[0] or "nothing" for row in TABLE])
def test_the_first_error_says_what_next(
    places: dict[str, object], capfd: pytest.CaptureFixture[str], words: str, status: int, says: str
) -> None:
    ended, err = run(words.format(**places), capfd)
    assert "Traceback" not in err
    assert re.search(says, err), err
    assert ended == status


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_where_to_begin_without_a_configuration(
    places: dict[str, object], capfd: pytest.CaptureFixture[str], command: str
) -> None:
    status, said = run(f"{command} --config {places['none']}", capfd)
    assert re.search(rf"{BEGIN}|--help` says what it takes", said), said
    assert status == 2


@pytest.mark.parametrize("number", sorted(MENDS))
def test_what_the_machine_refuses_is_told_with_the_thing_and_the_mend(number: int) -> None:
    line = told(OSError(number, os.strerror(number), "/var/lib/yizhan"))
    assert line == f"/var/lib/yizhan: {os.strerror(number)}; {MENDS[number]}"


def test_an_error_of_ours_stands_as_it_is() -> None:
    assert told(OSError("api.listen: 1.2.3.4:80 is in use; stop it")) == "api.listen: 1.2.3.4:80 is in use; stop it"
    assert told(OSError(errno.EIO, "Input/output error")) == "Input/output error"
    assert told(ValueError()) == "ValueError"


def test_a_full_disk_is_told_as_one(places: dict[str, object]) -> None:
    program = "import sys; from api.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["export", "--config", str(places["good"]), "--format", "csv", "--lang", "zh"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            timeout=120,
        )
    assert done.returncode == 1
    assert "the disk is full: make room" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_the_embedded_broker_cannot_have_is_told_with_the_option(tmp_path: Path) -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        text = GOOD.replace("mqtt://", "embedded://").format(mqtt=sock.getsockname()[1], http=0, store="data")
        (tmp_path / "crowded.yaml").write_text(text)
        program = "import sys; from api.cli import main; sys.exit(main(sys.argv[1:]))"
        words = ["gateway", "--config", str(tmp_path / "crowded.yaml")]
        done = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, cwd=ROOT, timeout=300
        )
    assert done.returncode == 1
    assert re.search(r"mqtt\.url: 127\.0\.0\.1:\d+ is in use; stop what listens there", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_python_that_is_too_old_is_told_which_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    rule = ["make", "-B", "-C", str(ROOT), "setup", f"PY={old}"]
    done = subprocess.run(rule, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "yizhan needs Python 3.11 or newer" in done.stderr
    assert "make setup PY=python3.12" in done.stderr


def test_a_subcommand_is_told_by_its_own_help() -> None:
    assert (
        next_step("yizhan keys", "argument ACTION: invalid choice: 'mak'") == "`yizhan keys --help` says what it takes"
    )
