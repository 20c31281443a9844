"""Walls are missed, passers-by are not, and nobody fills the memory."""

from gateway.alerting.screens import Screens

FORGET_AFTER_MS = 86_400_000
SCREENS_MOST = 16
TRIED = 3


SILENT_MS = 300_000
MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_795_262_400_000


def stand(screens: Screens, name: str, start: int, end: int) -> None:
    """Check in each minute, as the page does."""
    for at in range(start, end + 1, MINUTE):
        screens.check_in("yanshan", name, at)
        screens.look(at)


def missed(screens: Screens, now: int) -> list[str]:
    return [fact.subject for fact in screens.look(now) if fact.holds]


def test_a_wall_is_missed_from_its_silence_until_it_is_forgotten() -> None:
    screens = Screens(SILENT_MS)
    end = T0 + TRIED * SILENT_MS
    stand(screens, "wall", T0, end)
    assert missed(screens, end + SILENT_MS - 1) == []
    assert missed(screens, end + SILENT_MS) == ["wall"]
    assert missed(screens, end + SILENT_MS + FORGET_AFTER_MS - 1) == ["wall"]
    (last,) = screens.look(end + SILENT_MS + FORGET_AFTER_MS)
    assert last.holds is False
    assert not screens


def test_a_passer_by_is_never_missed_however_often_he_comes() -> None:
    screens = Screens(SILENT_MS)
    for start in range(T0, T0 + 6 * HOUR, HOUR):
        stand(screens, "visitor", start, start + TRIED * SILENT_MS - MINUTE)
        for at in range(start + TRIED * SILENT_MS, start + HOUR, MINUTE):
            assert screens.look(at) == []
        assert not screens


def test_many_names_fill_no_memory_and_drive_no_wall_out() -> None:
    screens = Screens(SILENT_MS)
    end = T0 + TRIED * SILENT_MS
    stand(screens, "wall", T0, end)
    for number in range(20_000):
        screens.check_in("yanshan", f"noise-{number}", end)
    screens.check_in("yanshan", "wall", end + MINUTE)
    screens.look(end + MINUTE)
    assert len(screens._stations["yanshan"]) == SCREENS_MOST
    assert missed(screens, end + MINUTE + SILENT_MS) == ["wall"]
    assert list(screens._stations["yanshan"]) == ["wall"]


def test_a_station_full_of_walls_takes_no_other() -> None:
    screens = Screens(SILENT_MS)
    for at in range(T0, T0 + TRIED * SILENT_MS + 1, MINUTE):
        for number in range(SCREENS_MOST):
            screens.check_in("yanshan", f"wall-{number}", at)
        screens.look(at)
    stand(screens, "late", at, at + MINUTE)
    assert len(missed(screens, at + SILENT_MS)) == SCREENS_MOST
