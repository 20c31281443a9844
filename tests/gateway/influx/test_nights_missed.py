"""A night in which the copy can't be asked is made up for; one without rows is as good as any."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.influx.nightly import NIGHT as NIGHT_HOURS
from gateway.influx.nightly import DayCheck, Nightly
from gateway.influx.status import Checked
from tests.gateway.influx.test_nightly import (
    DAY,
    HOUR,
    MIDNIGHT,
    NIGHT,
    NOON,
    THE_DAY,
    bring,
    fill,
    night,
    nightly_of,
    ship_for,
)


def test_a_day_that_could_not_be_compared_is_compared_the_next_night(server, store, influx):
    fill(store, 300)
    fill(store, 20, at=NOON + DAY, first=301)
    ship = ship_for(influx, store)
    bring(ship)
    lost = list(server.points)[100:250]
    for key in lost:
        del server.points[key]
    server.query_status = 503
    night(ship)
    assert night(ship, NIGHT + HOUR) == 1, "once a night is enough"
    assert night(ship, NIGHT + 22 * HOUR) == 1, "and by day it disturbs nobody"
    assert nightly_of(ship).checked is None
    server.query_status = 200
    night(ship, NIGHT + DAY)
    assert (nightly_of(ship).again, ship.trouble, nightly_of(ship).checked) == (1, None, Checked(THE_DAY, 0, 0))
    night(ship, NIGHT + DAY)
    assert (nightly_of(ship).again, ship.trouble, nightly_of(ship).checked) == (1, None, Checked(THE_DAY + 1, 0, 0))
    assert len(server.points) == 320


def test_a_day_without_rows_is_compared_once(server, store, influx):
    fill(store, 30, at=NOON - DAY)
    fill(store, 30, at=NOON + DAY, first=31)
    ship = ship_for(influx, store)
    bring(ship)
    night(ship)
    assert (ship.trouble, nightly_of(ship).checked) == (None, Checked(THE_DAY, 0, 0))
    assert night(ship) == 1


@pytest.mark.parametrize("zone", ["America/St_Johns", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Kiritimati"])
def test_each_day_of_a_year_is_compared_once_where_clocks_change(zone):
    class Always(DayCheck):
        def __init__(self):
            """Of no server and no store."""

        def kept(self, day, now):
            return True

    nightly = Nightly(Always(), ZoneInfo(zone), set, lambda _names: None, lambda _moment: None, THE_DAY)
    compared = []
    for now in range(MIDNIGHT, MIDNIGHT + 366 * DAY, HOUR // 2):
        if (day := nightly._due(now)) is not None:
            hour = datetime.fromtimestamp(now / 1000, ZoneInfo(zone)).hour
            compared.append((day, hour in NIGHT_HOURS))
            nightly._done = day
    days = [day for day, _ in compared]
    assert days == list(range(THE_DAY + 1, THE_DAY + 1 + len(days)))
    assert len(days) >= 364
    assert all(at_night for _, at_night in compared)
