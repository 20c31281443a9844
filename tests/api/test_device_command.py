"""`yizhan device`: users of devices at a mosquitto broker, in its own files and at a real one."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.access_book import AccessBook
from api.cli import main
from api.mosquitto_files import BrokerUsers, hashed
from gateway.mqtt import Broker, Session
from tests.patience import until
from tests.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
CONFIG = """
store: {path: data}
mqtt: {url: "mqtts://box.example:8883"}
stations:
  - id: yanshan
    areas: [{id: lounge, resources: [{id: seat-01, kind: seat}, {id: door, kind: door, device: door-main}]}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(CONFIG)
    (tmp_path / "mosquitto").mkdir()
    shutil.copy(DEPLOY / "mosquitto.acl", tmp_path / "mosquitto/acl")
    return tmp_path / "site.yaml"


def device(config: Path, *words: str) -> int:
    return main(["device", *words, "--config", str(config), "--mosquitto", str(config.parent / "mosquitto")])


def added(config: Path, name: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    capsys.readouterr()
    assert device(config, "add", name, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[:13].strip(): line[14:] for line in lines if line[:13].strip()}


def test_what_to_enter_at_a_device_is_printed_once_with_a_code(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = added(config, "yanshan/door-main", capsys)
    assert told["broker"] == "mqtts://box.example:8883"
    assert (told["user"], told["client id"]) == ("yanshan/door-main", "yanshan/door-main")
    assert told["says on"] == "yz/yanshan/door-main/state"
    assert told["hears"] == "yz-ack/yanshan/door-main"
    assert len(told["password"]) == 32
    assert any("█" in line or "▀" in line for line in told.values())
    passwords = config.parent / "mosquitto/passwords"
    assert told["password"] not in passwords.read_text()
    assert passwords.stat().st_mode & 0o077 == 0
    again = added(config, "yanshan/door-main", capsys, "--no-code", "--broker", "mqtts://10.0.0.1")
    assert (again["broker"], again["password"] == told["password"]) == ("mqtts://10.0.0.1", False)
    assert len(passwords.read_text().splitlines()) == 1


def test_the_list_tells_who_is_who_and_which_device_has_no_user(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("yanshan/door-main", "yanshan", "yanshan/old"):
        added(config, name, capsys)
    assert device(config, "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "yanshan/door-main  device",
        "yanshan  bridge",
        "yanshan/old  not in the configuration",
        "yanshan/seat-01  no user; its bridge speaks for it, or add one",
    ]


def test_a_bridge_of_another_name_gets_its_section_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("id: yanshan", "id: shaping"))
    for _ in range(2):
        added(config, "shaping", capsys)
    acl = (config.parent / "mosquitto/acl").read_text()
    assert acl.count("user shaping\ntopic read yz-sys/+") == 1
    assert acl.startswith((DEPLOY / "mosquitto.acl").read_text().rstrip())


def test_each_change_is_a_line_of_the_audit_trail_without_the_password(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = added(config, "yanshan/door-main", capsys)["password"]
    assert device(config, "revoke", "yanshan/door-main") == 0
    assert device(config, "revoke", "yanshan/door-main") == 1
    lines = AccessBook(config.parent / "data").lines(9)
    assert [(line.what, line.target) for line in lines] == [
        ("device_revoked", "yanshan/door-main"),
        ("device_added", "yanshan/door-main"),
    ]
    assert password not in str(lines)


@pytest.mark.parametrize("name", ["yanshan/", "/x", "a/b/c", "yan+shan/x", "yanshan/x:y", "yanshan/#", "a\nb", ""])
def test_what_could_not_be_a_users_name_is_refused(config: Path, name: str) -> None:
    with pytest.raises(SystemExit) as refused:
        device(config, "add", name)
    assert refused.value.code == 2
    assert not (config.parent / "mosquitto/passwords").exists()


def test_a_station_that_is_not_there_and_a_broker_elsewhere_are_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert device(config, "add", "nowhere/x") == 2
    assert "there is no station 'nowhere'" in capsys.readouterr().err
    shutil.rmtree(config.parent / "mosquitto")
    assert device(config, "list") == 2


# ---- at a real broker ----

SITE = """
per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
listener {port} 127.0.0.1
use_username_as_clientid true
user root
"""


@pytest.fixture
def port(config: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    folder, port = config.parent / "mosquitto", free_port()
    BrokerUsers(folder).add("nobody")
    (folder / "conf").write_text(SITE.format(folder=folder, port=port))
    process = subprocess.Popen(["mosquitto", "-c", str(folder / "conf")])
    yield port, process
    process.terminate()
    process.wait(60)


@pytest.mark.broker
def test_a_user_that_was_added_gets_in_and_one_that_was_revoked_does_not(
    config: Path, port: tuple[int, subprocess.Popen[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    number, process = port
    password = added(config, "yanshan/door-main", capsys)["password"]

    def connected() -> Session | None:
        broker = Broker("127.0.0.1", number, username="yanshan/door-main", password=password, version=5)
        session = Session(broker, "yanshan/door-main", filters=("yz-ack/yanshan/door-main",), keep=False)
        for _ in range(100):
            session.poll(0.05)
            if session.subscribed:
                return session
            if "uthori" in (session.trouble or ""):
                break
        session.close()
        return None

    def reloaded_to(state: bool) -> bool:
        process.send_signal(signal.SIGHUP)
        session = connected()
        if session is not None:
            session.close()
        return (session is not None) == state

    until(lambda: reloaded_to(True), "the new user's connection", pause_s=0.2)
    assert device(config, "revoke", "yanshan/door-main") == 0
    until(lambda: reloaded_to(False), "the refusal of the revoked user", pause_s=0.2)


def test_a_password_is_hashed_in_the_form_of_mosquitto() -> None:
    """That it is the right hash is for the broker above to say."""
    assert hashed("secret", bytes(12)) == hashed("secret", bytes(12)) != hashed("secret", bytes(range(12)))
    kind, iterations, salt, digest = hashed("secret").split("$")[1:]
    assert (kind, iterations, len(salt), len(digest)) == ("7", "101", 16, 88)
