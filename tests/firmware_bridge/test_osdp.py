"""OSDP readers over a real pseudo-terminal, libosdp on both ends."""

from pathlib import Path

import pytest

from firmware_bridge.cards import CardNumber, Cards
from firmware_bridge.devices.osdp import Osdp, OsdpUnit
from firmware_bridge.door import Doors, Rules
from firmware_bridge.emulator.serial.osdp_reader import OsdpReader
from tests.firmware_bridge.rig import allowing
from tests.patience import until

from .rig import bus

CARDS = Cards(bytes(range(32)), "never")
KEY = bytes(range(100, 116))
BITS = "10111101110110010011011101"  # W26 facility 123 card 45678
OUTPUT, BUZZER = 1, 3


def key_file(folder: Path) -> Path:
    path = folder / "scbk"
    path.write_text(KEY.hex())
    path.chmod(0o600)
    return path


def test_a_card_at_a_secure_reader_opens_the_lock_and_leaves_as_a_pseudonym(tmp_path: Path) -> None:
    reader = OsdpReader(1, KEY)
    rules = Rules(CARDS, allowing(CARDS.access(CardNumber.of_int(0x7BB26E))), pulse_ms=700)
    devices = [{"device": "door-1", "unit": 1, "direction": "in", "key_file": str(key_file(tmp_path))}]
    with bus(tmp_path, reader, "osdp", rules=rules, devices=devices) as (_, _, sink):
        until(lambda: sink.online == {"door-1"})
        reader.present(BITS)
        until(lambda: sink.readings)
        until(lambda: len(reader.commands) >= 2)
    assert [(reading.event, reading.signals) for reading in sink.readings] == [
        ("card", {"card": CARDS.published(CardNumber.of_int(0x7BB26E), 0), "granted": True, "direction": "in"})
    ]
    pulse = next(command for command in reader.commands if "output_no" in command)
    assert (pulse["control_code"], pulse["timer_count"]) == (5, 7)


def test_a_readers_contact_and_tamper_switch_are_told(tmp_path: Path) -> None:
    from osdp import StatusReportType

    reader = OsdpReader(1)
    with bus(tmp_path, reader, "osdp", device="door-1") as (_, _, sink):
        until(lambda: sink.online == {"door-1"})
        reader.report(StatusReportType.Input, b"\1")
        until(lambda: sink.signals("door-1") == {"open": True})
        reader.report(StatusReportType.Local, b"\1\0")
        until(lambda: sink.events("door-1") == ["tamper"])
        reader.report(StatusReportType.Input, b"\0")
        until(lambda: sink.signals("door-1") == {"open": False})


def test_a_stranger_is_refused_and_told_and_the_lock_stays_shut(tmp_path: Path) -> None:
    reader = OsdpReader(1)
    rules = Rules(CARDS, allowing(), pulse_ms=700)
    with bus(tmp_path, reader, "osdp", rules=rules, device="door-1") as (_, _, sink):
        until(lambda: sink.online == {"door-1"})
        reader.present(BITS)
        until(lambda: sink.readings)
    assert sink.readings[0].signals["granted"] is False
    assert reader.commands == []


def test_a_reader_that_was_away_is_back_within_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """libosdp alone backs off to 300 s."""
    monkeypatch.setattr("firmware_bridge.bus.REOPEN_S", 0.05)
    reader = OsdpReader(1, KEY)
    devices = [{"device": "door-1", "unit": 1, "key_file": str(key_file(tmp_path))}]
    with bus(tmp_path, reader, "osdp", rules=Rules(CARDS), devices=devices) as (_, cable, sink):
        until(lambda: sink.online == {"door-1"})
        cable.unplug()
        until(lambda: not sink.online)
        cable.plug()
        until(lambda: sink.online == {"door-1"})


def test_the_installation_default_key_is_refused() -> None:
    with pytest.raises(ValueError, match="never the installation default"):
        Osdp([OsdpUnit("d", 1, bytes(range(0x30, 0x40)))], Doors(Rules()))
