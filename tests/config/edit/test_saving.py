"""A configuration is saved whole, as a version, and never over what somebody else wrote."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from config.edit import saving, whole
from config.edit.changing import changed
from config.edit.home import PENDING, ConfigHome, tag_of
from config.edit.saving import Author, ConflictError, note, save, settled
from config.edit.versions import MissingVersionError, Versions
from config.edit.words import ConfigChange, EditError, parts_of
from config.load import load
from tests.config.edit import killed
from tests.config.edit.editing import merged, some_change, vectors

OLD = {"a.yaml": b"# old a\r\nstations: [{id: old}]\n", "b.yaml": b"\xef\xbb\xbf# old b, no end"}
ME = Author("Chen", 1_795_262_400_000, "a test")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path) -> ConfigHome:
    return made(tmp_path / "conf")


def made(folder: Path) -> ConfigHome:
    folder.mkdir()
    for name, content in OLD.items():
        (folder / name).write_bytes(content)
    return ConfigHome(folder)


def put(home: ConfigHome, files: dict[str, bytes], author: Author = ME) -> int:
    return save(home, files, tag_of(home.read()), author).number


def left_over(home: ConfigHome) -> list[str]:
    """Files that no save leaves behind."""
    names = [path.name for path in (*home.folder.iterdir(), *home.versions.glob("*"))]
    return [name for name in names if name.endswith(whole.STAGED) or name == PENDING]


def test_the_first_save_keeps_what_was_there_too(home: ConfigHome) -> None:
    assert put(home, killed.NEW) == 2
    assert home.read() == killed.NEW
    versions = Versions(home)
    first, second = versions.read(1), versions.read(2)
    assert (first.who, first.why, versions.contents(first)) == ("by hand", "as it was found", OLD)
    assert (second.who, second.at, second.why) == ("Chen", ME.at, "a test")
    assert versions.contents(second) == killed.NEW
    assert left_over(home) == []


def test_a_save_of_the_same_is_no_version(home: ConfigHome) -> None:
    assert put(home, OLD) == 1
    assert put(home, OLD) == 1


def test_a_save_over_what_somebody_else_wrote_is_refused_and_writes_nothing(home: ConfigHome) -> None:
    tag = tag_of(home.read())
    (home.folder / "b.yaml").write_bytes(b"# by hand\n")
    with pytest.raises(ConflictError):
        save(home, killed.NEW, tag, ME)
    assert home.read() == {**OLD, "b.yaml": b"# by hand\n"}
    assert left_over(home) == []


@pytest.mark.parametrize("moment", ["stage", "_write_pending"])
@pytest.mark.parametrize("name", ["a.yaml", "b.yaml", "d.yaml"])
def test_a_hand_edit_in_the_midst_of_a_save_is_a_told_conflict(
    home: ConfigHome, monkeypatch: pytest.MonkeyPatch, moment: str, name: str
) -> None:
    """After the comparison only the files that the save writes are looked at again: any other one is left alone."""
    where = whole if moment == "stage" else saving
    original: Callable[..., None] = getattr(where, moment)

    def and_then(*args: object) -> None:
        original(*args)
        monkeypatch.undo()
        (home.folder / name).write_bytes(b"# by hand\n")

    monkeypatch.setattr(where, moment, and_then)
    if moment == "_write_pending" and name == "d.yaml":
        put(home, killed.NEW)
        assert home.read() == {**killed.NEW, name: b"# by hand\n"}
    else:
        with pytest.raises(ConflictError):
            put(home, killed.NEW)
        assert home.read() == {**OLD, name: b"# by hand\n"}
    assert left_over(home) == []
    assert put(home, OLD) > 1


def test_a_disk_that_is_full_leaves_all_as_it_was(home: ConfigHome, monkeypatch: pytest.MonkeyPatch) -> None:
    original = whole.stage

    def full(target: Path, *rest: object) -> None:
        if target.name == "c.yaml":
            raise OSError(28, "No space left on device")
        original(target, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(whole, "stage", full)
    with pytest.raises(OSError, match="No space left"):
        put(home, killed.NEW)
    assert home.read() == OLD
    assert left_over(home) == []


def test_files_keep_their_mode_and_a_new_one_takes_its_neighbours(home: ConfigHome) -> None:
    (home.folder / "a.yaml").chmod(0o640)
    put(home, {**OLD, **killed.NEW})
    assert (home.folder / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert (home.folder / "c.yaml").stat().st_mode & 0o777 == 0o640


def test_files_keep_their_owner_and_versions_belong_to_whom_the_folder_does(
    home: ConfigHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root sees it: what it makes is its own at first, and is given to whom the neighbour belongs."""
    given: dict[str, tuple[int, int]] = {}
    mine = (os.getuid(), os.getgid())
    as_root = list(Path("/dev/null").stat())
    as_root[4:6] = [4321, 4321]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fstat", lambda _handle: os.stat_result(as_root))
    monkeypatch.setattr(
        os, "fchown", lambda handle, *ids: given.update({str(Path(f"/proc/self/fd/{handle}").readlink()): ids})
    )
    monkeypatch.setattr(os, "chown", lambda path, *ids: given.update({str(path): ids}))
    put(home, killed.NEW)
    assert set(given.values()) == {mine}
    assert {str(path) for path in (home.versions, *home.versions.iterdir())} <= given.keys()
    assert {f"{home.folder}/.{name}{whole.STAGED}" for name in killed.NEW} <= given.keys()


def test_a_file_that_can_not_keep_its_owner_is_not_changed(home: ConfigHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    others = list(Path("/dev/null").stat())
    others[4:6] = [4321, 4321]
    monkeypatch.setattr(os, "fstat", lambda _handle: os.stat_result(others))
    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(PermissionError):
        put(home, killed.NEW)
    assert home.read() == OLD
    assert left_over(home) == []


def test_versions_are_for_the_owner_alone(home: ConfigHome) -> None:
    put(home, killed.NEW)
    assert home.versions.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in home.versions.iterdir()} == {0o600}


def test_behind_a_link_the_file_is_changed_and_the_link_stays(tmp_path: Path, home: ConfigHome) -> None:
    real = tmp_path / "elsewhere.yaml"
    shutil.move(home.folder / "a.yaml", real)
    (home.folder / "a.yaml").symlink_to(real)
    put(home, killed.NEW)
    assert (home.folder / "a.yaml").is_symlink()
    assert real.read_bytes() == killed.NEW["a.yaml"]


def test_versions_of_a_single_file_stand_beside_it(tmp_path: Path) -> None:
    home = ConfigHome(tmp_path / "site.yaml")
    home.path.write_bytes(OLD["a.yaml"])
    (tmp_path / "other.yaml").write_bytes(b"# not ours\n")
    put(home, {"site.yaml": b"# new\n"})
    assert home.versions == tmp_path / ".site.yaml.versions"
    assert (tmp_path / "other.yaml").read_bytes() == b"# not ours\n"
    assert Versions(home).contents(Versions(home).read(1)) == {"site.yaml": OLD["a.yaml"]}


def test_what_was_written_by_hand_is_noted_once(home: ConfigHome) -> None:
    assert note(home, ME).number == 1
    assert note(home, ME).number == 1
    (home.folder / "b.yaml").unlink()
    noted = note(home, Author("by hand", 5))
    assert (noted.number, noted.why, sorted(noted.files)) == (2, "changed by hand", ["a.yaml"])


def test_the_oldest_versions_go_and_what_only_they_held(home: ConfigHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.edit.versions.MOST", 3)
    for number in range(6):
        put(home, {"a.yaml": f"# {number}\n".encode()})
    versions = Versions(home)
    assert versions.numbers() == [5, 6, 7]
    assert len(list(home.versions.glob("*.gz"))) == 3
    assert versions.contents(versions.read(5)) == {"a.yaml": b"# 3\n"}


def test_a_damaged_version_is_no_version(home: ConfigHome) -> None:
    put(home, killed.NEW)
    for path in home.versions.glob("*.gz"):
        path.write_bytes(b"\x1f\x8bnothing")
    versions = Versions(home)
    with pytest.raises(MissingVersionError):
        versions.contents(versions.read(1))


def kill(first: int, *homes: ConfigHome) -> list[bool]:
    """Save in a process for each, killed before this step, the next before the one after, …; whether it came so far."""
    command = [sys.executable, "-m", "tests.config.edit.killed", str(first), *(str(home.path) for home in homes)]
    return [word == "1" for word in subprocess.check_output(command, cwd=ROOT, text=True, timeout=300).split()]


def old_or_new(home: ConfigHome) -> str:
    """Which of the two a reader finds, and then what stands on the disk."""
    settings = load(home.path)
    files = home.read()
    assert files in (OLD, killed.NEW)
    assert settings.stations[0].id == ("old" if files == OLD else "new")
    assert left_over(home) == [] or files == OLD  # what was staged waits for the next save, and disturbs nobody
    return "old" if files == OLD else "new"


def test_a_kill_at_any_step_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    homes = [made(tmp_path / f"{step}") for step in range(100)]
    steps = kill(1, *homes).index(False)
    assert steps > 30  # it looked at them
    results = [old_or_new(home) for home in homes[: steps + 1]]
    decides = results.index("new")
    assert results == ["old"] * decides + ["new"] * (steps + 1 - decides)  # one moment decides
    for home in homes[: steps + 1]:
        put(home, OLD)
        assert home.read() == OLD
        assert left_over(home) == []


@pytest.mark.slow
def test_hundreds_of_kills_leave_the_old_or_the_new(tmp_path: Path) -> None:
    """Over a history of kills: each round goes on where the one before was cut short."""
    homes, seen = [made(tmp_path / f"{step}") for step in range(70)], set()
    for _ in range(4):
        kill(1, *homes)
        seen |= {old_or_new(home) for home in homes}
        for home in homes[::2]:
            put(home, OLD)
    assert seen == {"old", "new"}


def test_what_was_changed_by_hand_after_a_kill_stays(tmp_path: Path) -> None:
    homes = [made(tmp_path / f"{step}") for step in range(100)]
    kill(1, *homes)
    cut_short = [home for home in homes if (home.versions / PENDING).exists()]
    assert len(cut_short) > 5
    for home in cut_short:
        (home.folder / "a.yaml").write_bytes(b"# by hand, after the power came back\n")
        with settled(home.path):
            pass
        assert home.read() == {**killed.NEW, "a.yaml": b"# by hand, after the power came back\n"}
        assert left_over(home) == []


def test_who_may_not_finish_a_save_reads_what_it_would_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = [made(tmp_path / f"{step}") for step in range(100)]
    kill(1, *homes)
    cut_short = [home for home in homes if (home.versions / PENDING).exists()]

    def refused(_home: ConfigHome) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(saving, "finish", refused)
    assert cut_short
    for home in cut_short:
        assert load(home.path).stations[0].id == "new"
        assert (home.versions / PENDING).exists()


def test_a_save_cut_short_that_nobody_understands_stops_no_reader(
    home: ConfigHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.versions.mkdir()
    (home.versions / PENDING).write_text('{"before": {}, "after": {"a.yaml": "0"}, "version": null}')

    def refused(_home: ConfigHome) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(saving, "finish", refused)
    assert load(home.path).stations[0].id == "old"


def test_readers_find_one_configuration_whole_while_others_save(home: ConfigHome) -> None:
    """Both files say which of the two they are of."""
    pairs = [
        {name: b"stations: [{id: %s-%d}]\n" % (name[:1].encode(), n) for name in ("a.yaml", "b.yaml")} for n in (0, 1)
    ]
    put(home, pairs[0])
    over = threading.Event()

    def write() -> None:
        end = time.monotonic() + 3
        number = 0
        while time.monotonic() < end:
            number += 1
            put(home, pairs[number % 2])
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not over.is_set():
        first, second = (station.id for station in load(home.path).stations)
        assert first[-1] == second[-1]
        reads += 1
    writer.join()
    assert reads > 5


def walk(home: ConfigHome, seed: int, steps: int) -> None:
    """Random changes, each saved, and then all of them undone: at each version the files are what they were."""
    rng, kept = Random(seed), [home.read()]
    for _ in range(steps):
        files = home.read()
        try:
            after = changed(files, [some_change(rng, merged(files))])
        except EditError:
            continue
        put(home, after)
        if after != kept[-1]:
            kept.append(after)
    versions = Versions(home)
    for number in range(len(kept), 0, -1):
        save(home, versions.contents(versions.read(number)), tag_of(home.read()), ME)
        assert home.read() == kept[number - 1]


def test_undoing_everything_gives_every_file_back_to_the_byte(tmp_path: Path) -> None:
    for seed, (name, files) in enumerate(vectors().items()):
        folder = tmp_path / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        walk(ConfigHome(folder), seed, 6)
        assert ConfigHome(folder).read() == files


@pytest.mark.slow
def test_five_thousand_changes_and_as_many_undos_give_every_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _handle: None)  # what a flush is for stands in the tests of kills
    for round_ in range(50):
        for name, files in vectors().items():
            folder = tmp_path / f"{name}-{round_}"
            folder.mkdir()
            for file, content in files.items():
                (folder / file).write_bytes(content)
            walk(ConfigHome(folder), round_, 20)
            assert ConfigHome(folder).read() == files
            shutil.rmtree(folder)


def test_a_change_of_one_line_leaves_the_other_files_alone(home: ConfigHome) -> None:
    before = (home.folder / "b.yaml").stat()
    files = changed(home.read(), [ConfigChange("add", parts_of("/timezone"), "Asia/Tokyo")])
    put(home, files)
    after = (home.folder / "b.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
