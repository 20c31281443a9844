"""A device counts anew under its old boot: each `(boot, seq)` stands twice in the journal, and nobody mixes them up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.base.local_time import HOUR_MS, hour_start
from gateway.core.plan import resource_of
from gateway.history.tally import Tally
from gateway.influx.lines import Lines, time_of
from gateway.live import Device
from gateway.model import Message, Millis
from gateway.runtime.importer import Importer
from gateway.runtime.watermarks import Watermarks
from gateway.store.place import Asked, Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.rollups import Rollups
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY
from tests.gateway.world import MINUTE, NOON, Town

METERS = [3_000, 3_100, 3_200, 3_300, 0, 50, 90]  # W·h: the meter fell with the counter, as in a power cut
NUMBERS = [1, 2, 3, 4, 1, 2, 3]
PILE = {"id": "pile", "kind": "charger", "type": "ev"}


def said(*, clock: bool) -> Iterator[tuple[Millis, dict[str, Any]]]:
    for minute, (seq, energy_wh) in enumerate(zip(NUMBERS, METERS, strict=True), 1):
        at = NOON + minute * MINUTE
        body = {"boot": "constant", "seq": seq, "status": "Charging", "energy_wh": energy_wh}
        yield at, body | ({"ts": at - 40} if clock else {})


@pytest.fixture(params=[True, False], ids=["with a clock", "without a clock"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Town:
    """Its journal in `tmp_path / "journal"`."""
    town = Town(PILE)
    store = SqliteStore(tmp_path / "journal", NOON, ballast_mib=0)
    for town.now, body in said(clock=request.param):
        outcome = town.hear("pile", body)
        store.commit(outcome.batch, outcome.changes, (), town.now)
    store.close()
    return town


def read(folder: Path) -> list[tuple[int | None, dict[str, Any]]]:
    reader = SqliteReader(folder)
    stored = [(reading.seq, json.loads(reading.payload)) for reading in reader.readings()]
    reader.close()
    return stored


def test_both_are_kept_and_exported(town: Town, tmp_path: Path) -> None:
    assert [(seq, data["energy_wh"]) for seq, data in read(tmp_path / "journal")] == list(
        zip(NUMBERS, METERS, strict=True)
    )


def test_both_have_a_line_of_their_own_in_the_copy(town: Town, tmp_path: Path) -> None:
    lines = Lines([resource_of(town.settings, *place) for place in town.settings.resources()])
    reader = SqliteReader(tmp_path / "journal")
    told = [
        line
        for reading in reader.readings()
        for line in lines.of(b"yz/yanshan/pile/state", reading.payload, reading.received_at, 2 * reading.ts_suspect)
    ]
    reader.close()
    assert len({time_of(line) for line in told}) == len(told) == len(METERS)


def test_the_meter_counts_on_from_where_the_count_began_again(town: Town, tmp_path: Path) -> None:
    resources = [resource_of(town.settings, *place) for place in town.settings.resources()]
    place = Place("yanshan", ZoneInfo("Asia/Shanghai"), resources)
    reader = SqliteReader(tmp_path / "journal")
    rollups = Rollups(tmp_path / "journal", [place], reader, NOON, synchronous="OFF")
    while rollups.tidy(NOON + DAY):
        pass
    kept = RollupReader(tmp_path / "journal", reader)
    counted = kept.tallies(Asked([place], resource="pile"), NOON - DAY, NOON + DAY, "hour")
    hour = hour_start(NOON, place.zone)
    assert counted == {hour: Tally(energy_mwh=390_000, resets=1, readings=len(METERS))}
    assert hour + HOUR_MS > NOON + len(METERS) * MINUTE
    for part in (rollups, reader):
        part.close()


def test_its_watermark_goes_back_with_it(town: Town) -> None:
    device: Device = town.device("pile")
    marks = Watermarks(5.0)
    device.told_boot, device.told_upto = "constant", 4
    marks.heard([device], 0.0)
    assert marks.take(5.0) == [("yz-ack/yanshan/pile", b'{"boot":"constant","upto":3}')]


@pytest.mark.parametrize("had_a_past", [False, True])
def test_what_is_exported_comes_back_whole_and_only_once(town: Town, tmp_path: Path, *, had_a_past: bool) -> None:
    there = SqliteStore(tmp_path / "there", NOON, ballast_mib=0)
    if had_a_past:
        other = Town(PILE)
        outcome = other.hear("pile", {"status": "Available"})
        there.commit(outcome.batch, outcome.changes, (), NOON)
    messages = [
        Message(b"yz/yanshan/pile/state", json.dumps(data | {"seq": seq}).encode(), NOON + minute * MINUTE)
        for minute, (seq, data) in enumerate(read(tmp_path / "journal"))
    ]
    for stored in (len(messages), 0):
        importer = Importer(town.settings, there, NOON + DAY)
        importer.run(messages)
        assert (importer.counts["stored"], importer.counts["known"]) == (stored, len(messages) - stored)
    there.close()
    assert len(read(tmp_path / "there")) == len(messages) + had_a_past
