"""What counts say of rooms and banks, from the messages to the hours that are kept."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.model import Change, Resource, axes_of
from gateway.store.place import Asked, Place
from tests.gateway.store.kept import BEFORE, Kept
from tests.gateway.store.world import DAY, HOUR

MINUTE = 60_000
MIDNIGHT = BEFORE + 16 * HOUR  # in Shanghai
DANCE = Resource("s", "hall", "dance", "room", "dance", ttl_ms=HOUR, capacity=20)
COARSE = Resource("s", "hall", "quiet", "room", "quiet", ttl_ms=HOUR, capacity=20, privacy="coarse")
BANK = Resource("s", "hall", "bank", "locker", "bank", ttl_ms=HOUR, capacity=24)
NEVER, FREE = axes_of("active", "ok", "open", "unknown", "never"), axes_of("active", "ok", "open", "free", "live")


def told(kept: Kept, resource: Resource, place: Place, start: int, end: int) -> tuple[float | None, float | None]:
    by_day = kept.rolled.minutes(Asked([place], resource=resource.id), start, end, "day")
    [minutes] = by_day.values()
    return minutes.utilization, minutes.filled


@pytest.mark.parametrize(
    ("resource", "quiet", "busy", "use"),
    [
        (DANCE, {"people": 0}, {"people": 12}, (0.5, 0.3)),
        (BANK, {"free": 24}, {"free": 6}, (0.375, 0.375)),
        (COARSE, {"people": 0}, {"people": 12}, (0.0, None)),  # whom nobody may count is not counted
    ],
    ids=["room", "lockers", "coarse"],
)
@pytest.mark.parametrize("rolled", [False, True])
def test_what_is_counted_for_half_an_hour_is_used(
    tmp_path: Path,
    rolled: bool,
    resource: Resource,
    quiet: dict[str, int],
    busy: dict[str, int],
    use: tuple[float, float | None],
) -> None:
    place = Place("s", ZoneInfo("Asia/Shanghai"), [resource])
    start = MIDNIGHT + 10 * HOUR
    with Kept(tmp_path, place) as kept:
        kept.changes([Change(resource, start - HOUR, NEVER, FREE, "state")])
        said = [(start, quiet), (start + 30 * MINUTE, busy), (start + HOUR, quiet)]
        batch = [(at, {"boot": "b", "seq": i, **fields}) for i, (at, fields) in enumerate(said)]
        kept.tell(resource.id, "state", batch)
        if rolled:
            kept.starts_again()
            while kept.rollups.tidy(start + 2 * DAY):
                pass
        assert told(kept, resource, place, start, start + HOUR) == use
        start += HOUR  # nobody since
        assert told(kept, resource, place, start, start + HOUR)[0] == 0.0
