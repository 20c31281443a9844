"""The command line: what it prints and how it ends. Real processes where a process is what matters."""

import json
import logging
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from api import logs
from api.access_book import AccessBook
from api.cli import main
from api.commands import COMMANDS
from api.server import CannotListenError, address_of, bind
from gateway.mqtt.client import Broker
from gateway.mqtt.embedded import EmbeddedBroker
from tests.patience import promptly

CONFIG = """
mqtt: {{url: "mqtt://127.0.0.1:9"}}
store: {{path: {folder}/data}}
api: {{listen: "127.0.0.1:{port}"}}
stations:
  - id: yanshan
    region: [广东]
    areas: [{{id: lounge, resources: [{{id: seat-01, kind: seat}}]}}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yizhan.yaml"
    path.write_text(CONFIG.format(folder=tmp_path, port=0))
    return path


@pytest.fixture(autouse=True)
def quiet_logs() -> object:
    """`main` sets the process's logging up; give pytest its own back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


def test_every_command_is_listed_and_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    for name in COMMANDS:
        assert f"    {name} " in listed
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert f"usage: yizhan {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["frobnicate"], ["check"], ["keys", "create", "--config", "x", "--role", "king"]]
)
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_check_is_fine_with_a_good_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(config)]) == 0
    assert "fine, 1 stations with 1 resources" in capsys.readouterr().out


def test_check_names_every_mistake_with_its_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("kind: seat", "kind: throne").replace("store:", "stroe:"))
    assert main(["check", "--config", str(config)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{config}:3: stroe: ") for line in lines)
    assert any(line.startswith(f"{config}:8: ") and "kind" in line for line in lines)


def test_check_names_hours_nobody_can_answer_for_and_sources_no_dialect_reads(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours, source = "hours: sunrise-sunset", "source: {dialect: json, topic: a/b}"
    text = (
        config.read_text()
        .replace("- id: yanshan", f"- id: yanshan\n    {hours}")
        .replace("kind: seat", f"kind: seat, {source}")
    )
    config.write_text(text)
    assert main(["check", "--config", str(config)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any("stations.0.hours: " in line and "sun" in line and "; " in line for line in lines)
    assert any("resources.0.source: fields: say where" in line and ".yaml:" in line for line in lines)


def test_any_other_command_ends_with_2_on_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api", "--config", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_a_key_is_printed_once_as_the_last_word(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make = [
        "keys",
        "create",
        "--config",
        str(config),
        "--role",
        "operator",
        "--name",
        "night shift",
        "--expires",
        "90d",
    ]
    assert main([*make, "--stations", "yanshan", "--regions", "广东"]) == 0
    token = capsys.readouterr().out.split()[-1]
    assert token.startswith("yz_")
    assert main(["keys", "list", "--config", str(config)]) == 0
    listed = capsys.readouterr().out
    assert "operator" in listed
    assert "yanshan,广东" in listed
    assert token not in listed
    key_id = token.split("_")[1]
    assert main(["keys", "revoke", "--config", str(config), key_id]) == 0
    assert main(["keys", "revoke", "--config", str(config), key_id]) == 1
    capsys.readouterr()
    assert main(["keys", "list", "--config", str(config)]) == 0
    assert capsys.readouterr().out == ""


def test_a_key_for_an_unknown_station_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["keys", "create", "--config", str(config), "--role", "viewer", "--name", "n", "--stations", "yanshn"]
    assert main(words) == 2
    assert "yanshn" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--stations", "--regions"])
@pytest.mark.parametrize("names", ["", ",", " ", "yanshan,", ",广东"])
def test_an_option_that_names_nothing_makes_no_key_for_everywhere(config: Path, option: str, names: str) -> None:
    words = ["keys", "create", "--config", str(config), "--role", "operator", "--name", "n", option, names]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "Li 138 1234 5678"])
def test_a_key_has_a_name_and_not_a_number_of_a_person(config: Path, name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["keys", "create", "--config", str(config), "--role", "operator", "--name", name])
    assert ended.value.code == 2


def test_keys_made_and_revoked_at_the_box_are_in_the_trail(
    config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["--config", str(config)]
    assert main(["keys", "create", *words, "--role", "viewer", "--name", "Li", "--stations", "yanshan"]) == 0
    key_id = capsys.readouterr().out.split()[-1].split("_")[1]
    assert main(["keys", "revoke", *words, key_id]) == 0
    [folder] = {path.parent for path in tmp_path.rglob("access.jsonl")}
    revoked, created = AccessBook(folder).lines(10)
    assert (created.what, created.target, created.detail) == ("key_created", key_id, "viewer Li yanshan")
    assert (revoked.what, revoked.target) == ("key_revoked", key_id)
    assert created.who.endswith("at the box")


@pytest.mark.parametrize("text", ["", "d", "0d", "90", "-1d", "1y", "²d", "1000000d"])
def test_a_duration_is_a_number_and_a_unit(config: Path, text: str) -> None:
    with pytest.raises(SystemExit):
        main(["keys", "create", "--config", str(config), "--role", "viewer", "--name", "n", f"--expires={text}"])


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListenError) as refused:
            bind("127.0.0.1", port)
    assert str(refused.value) == f"api.listen: 127.0.0.1:{port} is in use; stop what listens there, or set another port"


def test_port_0_takes_a_free_one_on_either_protocol() -> None:
    for host, written in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        sock = bind(host, 0)
        assert sock.getsockname()[1] > 0
        assert address_of(sock) == f"{written}:{sock.getsockname()[1]}"
        sock.close()
    with pytest.raises(CannotListenError, match="not an address of this machine"):
        bind("192.0.2.1", 0)


def test_an_address_of_protocol_6_stands_in_brackets_wherever_it_is_told() -> None:
    assert str(Broker("::1", 1883)) == "[::1]:1883"
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListenError, match=rf"^api.listen: \[::1\]:{port} is in use"):
            bind("::1", port)
        with pytest.raises(OSError, match=rf"^mqtt.url: \[::1\]:{port} is in use"):
            EmbeddedBroker("::1", port).start()


def test_the_bridge_and_its_like_load_no_web_server() -> None:
    code = (
        "import sys; from api.cli import main\n"
        "try: main(['check', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('fastapi', 'uvicorn', 'pydantic', 'paho', 'api.app') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_a_log_event_is_one_line_for_machines_and_one_above_its_traceback_for_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for form in logs.FORMATS:
        logs.set_up(form)
        try:
            int("two\nlines")
        except ValueError:
            logging.getLogger("x").exception("it\nbroke for %s", "驿站")
        err = capsys.readouterr().err
        _, *below = err.splitlines()
        assert all(line.startswith("    | ") for line in below)
        assert bool(below) == (form == "text")
        assert "驿站" in err
        assert "ValueError" in err
    event = json.loads(err)
    assert event["level"] == "error"
    assert event["logger"] == "x"
    assert event["message"] == "it\nbroke for 驿站"


@pytest.mark.e2e
def test_the_api_alone_answers_and_ends_cleanly_on_sigterm(config: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli", "--log-format", "json", "api", "--config", str(config)],
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        line = next(heard for heard in process.stderr if "listening on" in heard)
        url = json.loads(line)["message"].split()[-1].rstrip("/")
        stream = urllib.request.urlopen(f"{url}/api/v1/stream?station=yanshan", timeout=60)
        assert stream.readline().startswith(b"retry: ")
        with pytest.raises(urllib.request.HTTPError) as refused:  # nothing listens at the broker's port
            urllib.request.urlopen(f"{url}/readyz", timeout=60)
        assert refused.value.code == 503
        assert "127.0.0.1:9" in json.load(refused.value)["trouble"][0]
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(60) == 0
        assert promptly(begin, 5)
        stream.close()
