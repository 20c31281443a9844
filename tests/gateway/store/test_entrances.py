"""Nobody comes in while a place is closed: a counter that is switched off then bounds its days all the same."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.model import Change, Resource, axes_of
from gateway.store.place import Place
from tests.gateway.store.kept import BEFORE, Kept
from tests.gateway.store.world import DAY, HOUR

MINUTE = 60_000
MIDNIGHT = BEFORE + 16 * HOUR  # in Shanghai
GATE = Resource("s", "hall", "gate", "counter", "gate", ttl_ms=HOUR)
OPEN, CLOSED = (axes_of("active", "ok", access, "free", "live") for access in ("open", "closed"))


@pytest.mark.parametrize(("closes", "bounded"), [(True, True), (False, False)])
def test_a_counter_that_is_switched_off_while_closed_bounds_its_days(
    tmp_path: Path, closes: bool, bounded: bool
) -> None:
    """It starts anew each morning and counts one each ten minutes from eight to eight."""
    with Kept(tmp_path, Place("s", ZoneInfo("Asia/Shanghai"), [GATE])) as kept:
        for day in range(-1, 3):
            morning, evening = MIDNIGHT + day * DAY + 8 * HOUR, MIDNIGHT + day * DAY + 20 * HOUR
            if closes:
                kept.changes(
                    [Change(GATE, morning, CLOSED, OPEN, "hours"), Change(GATE, evening, OPEN, CLOSED, "hours")]
                )
            minutes = range(12 * 60 + 1)
            said = [{"in": minute // 10, "boot": f"b{day}", "seq": minute} for minute in minutes]
            kept.tell("gate", "state", [(morning + minute * MINUTE, message) for minute, message in enumerate(said)])
        days = kept.days(MIDNIGHT, MIDNIGHT + 2 * DAY)
    for (told,) in days.values():
        assert 50 < told.bounds.low <= 72
        assert (told.bounds.high is not None) is bounded
        assert told.bounds.coverage == (1.0 if closes else 0.5)
        if told.bounds.high is not None:
            assert 72 <= told.bounds.high < 90
