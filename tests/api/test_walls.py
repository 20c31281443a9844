"""Which browsers are walls, and how many of them one address has."""

from pathlib import Path

from api.walls import GOOD_MS, Walls
from tests.api.conftest import NOON

NAME_KEPT_MS = 3_600_000
PER_ADDRESS = 16


def test_a_token_is_good_for_its_station_and_its_time() -> None:
    walls = Walls()
    token = walls.token("yanshan", NOON)
    assert walls.proves(token, "yanshan", NOON + GOOD_MS - 1)
    assert not walls.proves(token, "yanshan", NOON + GOOD_MS)
    assert not walls.proves(token, "shaping", NOON)
    assert not walls.proves(token, None, NOON)
    for broken in (None, "", ".", "1.", f"9{token}", token[:-1], token + "0", "²." + token):
        assert not walls.proves(broken, "yanshan", NOON)


def test_replicas_with_one_folder_know_each_others_walls(tmp_path: Path) -> None:
    token = Walls(tmp_path).token("yanshan", NOON)
    assert Walls(tmp_path).proves(token, "yanshan", NOON)
    assert not Walls().proves(token, "yanshan", NOON)
    assert [path.name for path in tmp_path.iterdir()] == ["walls.key"]
    assert (tmp_path / "walls.key").stat().st_mode & 0o777 == 0o600


def test_without_a_folder_a_process_has_a_key_of_its_own(tmp_path: Path) -> None:
    walls = Walls(tmp_path / "none")
    assert walls.proves(walls.token("yanshan", NOON), "yanshan", NOON)
    assert not (tmp_path / "none").exists()


def test_one_address_has_so_many_walls_and_a_wall_that_has_gone_makes_room() -> None:
    walls = Walls()
    names = [f"fake-{n}" for n in range(PER_ADDRESS + 1)]
    assert [walls.may_check_in("a", "yanshan", name, NOON) for name in names] == [True] * PER_ADDRESS + [False]
    assert walls.may_check_in("a", "yanshan", names[0], NOON + 1)
    assert walls.may_check_in("b", "yanshan", names[-1], NOON)
    assert all(walls.may_check_in(None, "yanshan", name, NOON) for name in names)
    assert walls.may_check_in("a", "yanshan", names[-1], NOON + NAME_KEPT_MS)
