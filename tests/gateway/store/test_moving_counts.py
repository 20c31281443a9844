"""Energy and people that come while a station changes hands are counted once."""

from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model import Batch, Resource
from gateway.store.files import connect
from gateway.store.moving_counts import finish_counts, move_counts
from gateway.store.place import Place
from gateway.store.rollups import FILE
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import MINUTE, NOON

PILE = Resource("north", "yard", "pile", "charger", "pile", type="ebike")
OTHER = Resource("south", "yard", "pile", "charger", "pile", type="ebike")
PLACES = [Place(resource.station, ZoneInfo("Asia/Shanghai"), [resource]) for resource in (PILE, OTHER)]


def told(folder: Path, *readings: tuple[str, int, int]) -> None:
    """(station, minute, total in Wh)."""
    store, batch = SqliteStore(folder, NOON, ballast_mib=0), Batch()
    for station, minute, total in readings:
        body = f'{{"boot": "a", "seq": {minute + 1}, "status": "Charging", "energy_wh": {total}}}'
        batch.append(f"yz/{station}/pile/state".encode(), body.encode(), NOON + minute * MINUTE, 0)
    store.commit(batch, [], [], NOON)
    store.close()


def energy_wh(folder: Path, station: str) -> float:
    with closing(connect(folder / FILE, "rollup")) as db:
        query = "SELECT coalesce(sum(energy_mwh), 0) FROM tally JOIN scope ON scope.id = tally.scope WHERE text = ?"
        (mwh,) = db.execute(query, (f"{station}/pile",)).fetchone()
    return mwh / 1000


def test_what_a_meter_counted_between_two_shards_counts_once(tmp_path: Path) -> None:
    old, new = tmp_path / "box-1of2", tmp_path / "box-1of3"
    told(old, ("north", 0, 100), ("south", 0, 500), ("north", 1, 110), ("south", 1, 520))
    finish_counts(old, PLACES, NOON)
    told(new)
    move_counts(old, new, {"north"})
    move_counts(old, new, {"north"})  # after a kill
    told(new, ("north", 2, 125), ("south", 2, 600))
    finish_counts(new, PLACES, NOON)
    assert (energy_wh(old, "north"), energy_wh(new, "north")) == (10, 15)
    assert energy_wh(new, "south") == 0, "it did not come along"
