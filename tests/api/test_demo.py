"""The demo lets three people in, with other keys at each start, and nobody from another machine."""

from pathlib import Path

from api.auth import Keyring
from api.commands.demo import LOG_INS, _log_ins
from config.schema import Settings
from gateway.base.clock import now_ms


def settings_in(folder: Path) -> Settings:
    return Settings.model_validate({"store": {"path": str(folder)}}, context={"base": folder})


def keys_in(lines: list[str]) -> dict[str, str]:
    return {line.split()[0]: line.split()[1] for line in lines[1:]}


def test_three_log_ins_are_printed_and_those_of_the_last_start_end(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    first = keys_in(_log_ins(settings, "http://127.0.0.1:8080", "127.0.0.1:8080"))
    second = keys_in(_log_ins(settings, "http://127.0.0.1:8080", "127.0.0.1:8080"))
    keyring = Keyring.of(settings)
    assert set(second) == set(LOG_INS)
    for name, token in second.items():
        key = keyring.check(token, now_ms())
        assert key is not None
        assert (key.name, key.role) == (name, LOG_INS[name][0])
    assert [keyring.check(token, now_ms()) for token in first.values()] == [None] * 3


def test_a_demo_that_others_can_reach_gives_no_log_in(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lines = _log_ins(settings, "http://192.168.0.2:8080", "0.0.0.0:8080")
    assert "yz_" not in "".join(lines)
    assert Keyring.of(settings).all() == ()
