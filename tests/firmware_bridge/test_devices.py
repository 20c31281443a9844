"""Each protocol over a real pseudo-terminal, from the device's bytes to the contract's signals."""

import contextlib
import socket
import struct
import threading
from pathlib import Path

import pytest

from config.schema.bridge import BusSettings
from firmware_bridge import protocols
from firmware_bridge.cards import CardNumber, Cards
from firmware_bridge.devices import ap3000, ld2410, sdt
from firmware_bridge.devices.base import DeviceOrder, Heard, Steady
from firmware_bridge.devices.ld2450 import Ld2450
from firmware_bridge.devices.modbus_map import READY, load_map
from firmware_bridge.door import Doors, Rules
from firmware_bridge.emulator.serial.machines import (
    ModbusBus,
    Pile,
    PileBoard,
    Radar,
    Tracker,
    Unit,
    VirtualIdReader,
    VirtualMeter,
    ld2410_report,
    ld2450_report,
)
from firmware_bridge.tcp import TcpBus
from tests.firmware_bridge.rig import allowing
from tests.patience import until

from .rig import Collected, bus

CARDS = Cards(bytes(range(32)), "never")


def floats(address: int, value: float) -> dict[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return {address: high, address + 1: low}


def test_a_radar_makes_a_seat_occupied_and_free(tmp_path: Path) -> None:
    radar = Radar(0.02)
    with bus(tmp_path, radar, "ld2410", baud=256000, device="seat-03") as (_, _, sink):
        until(lambda: sink.signals("seat-03") == {"occupied": False})
        radar.target = ld2410.STILL
        until(lambda: sink.signals("seat-03") == {"occupied": True})
        assert sink.online == {"seat-03"}


def test_a_tracker_counts_people_and_holds_the_count_over_a_moment_of_stillness() -> None:
    room = Ld2450("room-1")

    def count(places: list[tuple[int, int]], now: int) -> list[object]:
        heard = [frame for at in range(3) for frame in room.feed(ld2450_report(places), now + at * 100)]
        return [reading.signals["people"] for frame in heard for reading in frame.readings]

    assert count([(-782, 1713), (100, 900)], 0) == [2]
    assert count([(100, 900)], 10_000) == []  # one sits still
    assert count([(100, 900)], 40_000) == [1]
    assert count([], 45_000) == []
    assert count([], 80_000) == [0]


def test_a_flipped_bit_in_a_radar_frame_never_becomes_a_value() -> None:
    """The radars have no checksum: three equal frames make a value."""
    frame = ld2410_report(ld2410.NOBODY)
    for bit in range(len(frame) * 8):
        radar = ld2410.Ld2410("s")
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        heard = radar.feed(frame * 3 + bytes(flipped) + frame * 20, 0)
        assert [reading.signals for heard_frame in heard for reading in heard_frame.readings] == [
            {"occupied": False}
        ], bit


def test_a_value_is_published_when_it_changes_and_as_a_sign_of_life() -> None:
    steady = Steady(heartbeat_ms=30_000)
    taken = [steady.take({"n": n}, now) is not None for n, now in ((1, 0), (1, 9), (2, 10), (2, 30_009), (2, 30_010))]
    assert taken == [True, False, True, False, True]


def test_modbus_slaves_are_read_by_their_maps(tmp_path: Path) -> None:
    units = {
        1: Unit(bits={0: True, 3: True}),
        2: Unit(registers=floats(12, 1234.5) | dict.fromkeys(range(14, 72), 0) | floats(72, 3.25)),
        5: Unit(registers={1002: 3}),
        6: Unit(registers={}),
    }
    devices = [
        {"device": "bench", "unit": 1, "map": str(READY / "relay-input-8.yaml")},
        {"device": "kettle", "unit": 2, "map": str(READY / "energy-meter.yaml")},
        {"device": "pile-01", "unit": 5, "map": str(READY / "pile.yaml")},
        {"device": "pile-02", "unit": 6, "map": str(READY / "pile.yaml")},
    ]
    with bus(tmp_path, ModbusBus(units), "modbus", baud=19200, poll_s=0.5, devices=devices) as (_, _, sink):
        until(lambda: sink.signals("pile-01") == {"status": "Charging"})
        until(lambda: sink.signals("kettle") == {"power_w": 1234.5, "energy_wh": 3250})
        assert [sink.signals(f"bench-{at}")["occupied"] for at in range(1, 9)] == [True, False, False, True] + [
            False
        ] * 4
        until(lambda: "pile-02" in sink.online)  # refuses the register, so it is there and says nothing
        assert sink.signals("pile-02") == {}


def test_every_ready_register_map_is_whole_and_a_wrong_one_names_its_mistake(tmp_path: Path) -> None:
    assert {load_map(path).name for path in READY.glob("*.yaml")}
    wrong = tmp_path / "mine.yaml"
    wrong.write_text("name: x\nsource: y\npoints: [{signal: a, function: holdin, address: 0}]\n")
    with pytest.raises(ValueError, match=r"mine\.yaml.*points"):
        load_map(wrong)
    with pytest.raises(ValueError, match=r"ready ones are .*pile\.yaml"):
        load_map(tmp_path / "none.yaml")
    assert load_map(tmp_path / "pile.yaml").name  # not there: the ready one of that name


def test_a_modbus_lock_relay_is_switched_by_order_and_nothing_else_is_ever_written(tmp_path: Path) -> None:
    unit = Unit(bits={0: True})
    door = [{"device": "door-1", "unit": 1, "map": str(READY / "door-board.yaml")}]
    with bus(tmp_path, ModbusBus({1: unit}), "modbus", poll_s=0.4, devices=door) as (running, _, sink):
        until(lambda: sink.signals("door-1") == {"open": False})
        unit.bits[0] = False
        running.order(DeviceOrder("door-1", "unlock", 500))
        until(lambda: unit.bits[0])


def test_a_meter_tells_energy_and_power(tmp_path: Path) -> None:
    meter = VirtualMeter("000102030425")
    meter.kwh, meter.kw = 1206.42, 0.1234
    devices = [{"device": "socket-1", "address": "000102030425"}]
    with bus(tmp_path, meter, "dlt645", baud=2400, poll_s=0.5, devices=devices) as (_, _, sink):
        until(lambda: sink.signals("socket-1") == {"energy_wh": 1206420, "power_w": 123.4})


def test_an_identity_card_is_a_presence_and_only_find_is_ever_sent(tmp_path: Path) -> None:
    reader = VirtualIdReader()
    with bus(tmp_path, reader, "sdt", baud=115200, poll_s=0.4, device="counter") as (_, _, sink):
        until(lambda: sink.signals("counter").get("occupied") is False)
        reader.card = True
        until(lambda: sink.signals("counter").get("occupied") is True)
    assert set(reader.asked) == {b"\x20\x01"}


def test_nothing_in_the_driver_could_ask_for_the_text_of_an_identity_card() -> None:
    constants = [value for value in vars(sdt).values() if isinstance(value, bytes) and value.startswith(sdt.PREAMBLE)]
    assert all(value == sdt.PREAMBLE or value[7] != 0x30 for value in constants)
    assert not hasattr(sdt, "build")


def test_a_long_identity_reply_is_dropped_unread() -> None:
    body = b"\x05\x08\x00\x00\x90" + b"11010519491231002X".ljust(1283, b"\0")
    scanner = sdt.scanner()
    assert scanner.feed(sdt.PREAMBLE + body + b"\0") == []
    assert len(scanner._rest) <= 64


def test_a_pile_board_tells_each_of_its_sockets(tmp_path: Path) -> None:
    board = PileBoard(3)
    board.states = [1, 2, 4]
    with bus(tmp_path, board, "ebike-board", poll_s=0.4, device="pile") as (_, _, sink):
        until(lambda: "pile-3" in sink.online)
        told = [sink.signals(f"pile-{at}")["status"] for at in (1, 2, 3)]
    assert told == ["Available", "Charging", "Faulted"]


def test_a_serial_pile_is_heard_and_answered(tmp_path: Path) -> None:
    pile = Pile(0x04CEAA40, 2, interval_s=0.2)
    pile.states = [1, 9]
    devices = [{"device": "pile", "address": "13544000"}]
    with bus(tmp_path, pile, "ap3000", devices=devices) as (_, _, sink):
        until(lambda: sink.signals("pile-2") == {"status": "Faulted", "fault": "port_09"})
        assert sink.signals("pile-1") == {"status": "Charging", "fault": ""}
        until(lambda: pile.answers)
    answer = ap3000.parse(pile.answers[0])
    assert (answer.command, answer.data, answer.number) == (ap3000.HEARTBEAT, b"\0", 13_544_000)


def test_piles_dial_in_and_each_is_answered_on_its_own_line() -> None:
    settings = BusSettings.model_validate(
        {
            "id": "piles", "port": "tcp://127.0.0.1:0", "protocol": "ap3000",
            "devices": [{"device": "north", "address": "1"}, {"device": "south", "address": "2"}],
        }
    )  # fmt: skip
    sink, stop = Collected(), threading.Event()
    listener = TcpBus("piles", ("127.0.0.1", 0), lambda: protocols.build(settings, Doors(Rules())), sink, 60_000, stop)
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        address = until(lambda: listener.bound)
        with socket.create_connection(address, 60) as north, socket.create_connection(address, 60) as south:
            for line, number in ((north, 0x04000001), (south, 0x04000002)):
                pile = Pile(number, 1)
                said = pile.tick(0)
                line.sendall(said[:11])
                line.sendall(said[11:])
                assert ap3000.scanner().feed(line.recv(99))
            until(lambda: {"north-1", "south-1"} <= sink.online)
            north.close()
            until(lambda: "north-1" not in sink.online)
            assert "south-1" in sink.online
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_silent_callers_are_closed_and_leave_room_for_a_pile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_bridge.tcp.FIRST_FRAME_S", 0.5)
    settings = BusSettings.model_validate(
        {
            "id": "piles", "port": "tcp://127.0.0.1:0", "protocol": "ap3000",
            "devices": [{"device": "north", "address": "1"}],
        }
    )  # fmt: skip
    sink, stop = Collected(), threading.Event()
    listener = TcpBus("piles", ("127.0.0.1", 0), lambda: protocols.build(settings, Doors(Rules())), sink, 60_000, stop)
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        address = until(lambda: listener.bound)
        with contextlib.ExitStack() as stack:
            callers = [stack.enter_context(socket.create_connection(address, 60)) for _ in range(40)]
            for at, caller in enumerate(callers):  # those over the limit at once, the others soon, noise or none
                caller.settimeout(60)
                with contextlib.suppress(OSError):
                    caller.sendall(b"noise" * at)
                with contextlib.suppress(ConnectionError):
                    assert caller.recv(9) == b""
            pile = stack.enter_context(socket.create_connection(address, 60))
            pile.sendall(Pile(0x04000001, 1).tick(0))
            until(lambda: "north-1" in sink.online)
            assert pile.recv(99)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_a_pile_command_that_is_not_ours_is_never_sent() -> None:
    assert {command for command in range(256) if ap3000.answer(ap3000.DnyFrame(1, 1, command, b""), 0)} == set(
        ap3000.ANSWERED
    )
    assert max(ap3000.ANSWERED) < 0x80


def test_card_readers_of_both_sorts_grant_by_the_list_and_tell_a_pseudonym(tmp_path: Path) -> None:
    from firmware_bridge.emulator.serial.wire import Talker

    rules = Rules(CARDS, allowing(CARDS.access(CardNumber.of_int(123478))))
    reader = Talker(60.0, lambda: b"0000123478\r\n")
    with bus(tmp_path, reader, "serial-card", device="door-1", direction="in", rules=rules) as (_, _, sink):
        (event,) = until(lambda: sink.readings)
    published = CARDS.published(CardNumber.of_int(123478), 0)
    assert event.signals == {"card": published, "granted": True, "direction": "in"}


def test_a_bus_of_cards_knows_the_same_card_by_wiegand_bits_and_by_its_number() -> None:
    from firmware_bridge.devices.osdp import card_of
    from firmware_bridge.devices.readers import parse_line

    bits = "10111101110110010011011101"
    by_bits = parse_line(bits.encode())
    by_number = parse_line(b"7BB26E")
    by_osdp = card_of({"data": int(bits.ljust(32, "0"), 2).to_bytes(4, "big"), "length": 26})
    assert by_bits is not None
    assert by_number is not None
    assert CARDS.access(by_bits) == CARDS.access(by_number) == CARDS.access(by_osdp)


def test_heard_says_who_spoke_even_when_nothing_is_new() -> None:
    radar = ld2410.Ld2410("s")
    radar.feed(ld2410_report(0) * 3, 0)
    assert radar.feed(ld2410_report(0), 100) == (Heard((), ("s",)),)
    assert Tracker().tick(0.1)
