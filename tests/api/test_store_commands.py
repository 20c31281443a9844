"""Data in, out and safe: backup of a store at work, restore, import, and the bucket in InfluxDB."""

import json
import logging
from pathlib import Path

import pytest

from api.access_book import AccessBook
from api.cli import main
from api.commands import doctor_copies, doctor_keys
from config.load import load
from config.schema import Settings
from gateway.commands import made_key
from gateway.model import Batch
from gateway.store.alerts_reader import AlertReader
from gateway.store.jobs import MoveCopy
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.influx_server import influx_server
from tests.gateway.store.world import DAY, NOON, TAKEN, batch, change

SEATS = ", ".join(f"{{id: seat-{n:02d}, kind: seat}}" for n in range(3))
CONFIG = """
mqtt: {{url: "mqtt://127.0.0.1:9"}}
store: {{path: {folder}/data, {more}}}
stations: [{{id: yanshan, areas: [{{id: lounge, resources: [{seats}]}}]}}]
"""


@pytest.fixture(autouse=True)
def quiet_logs() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


def config(folder: Path, more: str = "ballast_mib: 0") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "yizhan.yaml"
    path.write_text(CONFIG.format(folder=folder, more=more, seats=SEATS))
    return path


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return config(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return config(tmp_path / "there")


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    """Exit status, and what it printed; what it complained of where it failed."""
    status = main([str(word) for word in words])
    told = capsys.readouterr()
    return status, told.err if status else told.out


def export(capsys: pytest.CaptureFixture[str], path: Path, *more: str) -> str:
    return run(capsys, "export", "--config", path, *more)[1]


def filled(config: Path, days: int = 2) -> SqliteStore:
    store = SqliteStore(config.parent / "data", NOON, ballast_mib=0)
    for day in range(days):
        at = NOON + day * DAY
        store.commit(batch(1 + 50 * day, 50, at, 10), [change(at, TAKEN)], [], at)
    return store


def test_a_store_at_work_is_backed_up_and_becomes_a_store_elsewhere(here, there, tmp_path, capsys):
    store = filled(here)
    status, told = run(capsys, "backup", "--config", here, "--to", tmp_path / "safe")
    assert status == 0
    assert "3 files" in told
    store.commit(batch(101, 5, NOON + 2 * DAY), [], [], NOON + 2 * DAY)  # the backup knows nothing of it
    store.close()
    assert run(capsys, "restore", "--config", there, "--from", tmp_path / "safe")[0] == 0
    lines = export(capsys, here).splitlines()
    assert export(capsys, there).splitlines() == lines[:100]
    reader = SqliteReader(there.parent / "data")
    assert [interval.axes for interval in reader.history("yanshan", "seat-01", NOON, NOON + DAY)] == [TAKEN]
    reader.close()


def test_a_later_backup_renews_the_older_one(here, there, tmp_path, capsys):
    store = filled(here)
    run(capsys, "backup", "--config", here, "--to", tmp_path / "safe")
    store.commit(batch(101, 5, NOON + 2 * DAY), [], [], NOON + 2 * DAY)
    run(capsys, "backup", "--config", here, "--to", tmp_path / "safe")
    store.close()
    run(capsys, "restore", "--config", there, "--from", tmp_path / "safe")
    assert export(capsys, there) == export(capsys, here)


def test_a_store_is_never_overwritten_and_a_live_one_never_touched(here, there, tmp_path, capsys):
    filled(here).close()
    other = filled(there, days=1)
    run(capsys, "backup", "--config", here, "--to", tmp_path / "safe")
    before = export(capsys, there)
    status, told = run(capsys, "restore", "--config", there, "--from", tmp_path / "safe", "--force")
    assert (status, "another yizhan that is running" in told) == (1, True)
    other.close()
    status, told = run(capsys, "restore", "--config", there, "--from", tmp_path / "safe")
    assert (status, "--force" in told) == (1, True)
    assert export(capsys, there) == before
    status, told = run(capsys, "restore", "--config", there, "--from", tmp_path / "safe", "--force")
    assert status == 0
    assert export(capsys, there) == export(capsys, here)
    aside = Path(told.splitlines()[0].rsplit(" ", 1)[1])
    reader = SqliteReader(aside)
    assert len(list(reader.readings())) == 50
    reader.close()


def test_a_revoked_key_does_not_come_back_with_a_backup(here, there, tmp_path, capsys):
    filled(here).close()
    words = ("keys", "create", "--config", here, "--role", "viewer", "--name", "app")
    assert run(capsys, *words)[0] == 0
    keys = here.parent / "data" / "keys.json"
    old = keys.read_bytes()
    run(capsys, "backup", "--config", here, "--to", tmp_path / "safe")
    assert oct((tmp_path / "safe").stat().st_mode)[-3:] == "700"
    run(capsys, "keys", "revoke", "--config", here, json.loads(old)["keys"][0]["id"])
    told = run(capsys, "restore", "--config", here, "--from", tmp_path / "safe", "--force")[1]
    assert "stay as they are" in told
    assert keys.read_bytes() != old
    assert "the staff keys are in" in run(capsys, "restore", "--config", there, "--from", tmp_path / "safe")[1]
    restored = there.parent / "data" / "keys.json"
    assert (restored.read_bytes(), oct(restored.stat().st_mode)[-3:]) == (old, "600")


def test_what_is_exported_and_imported_is_exported_the_same_again(here, there, tmp_path, capsys):
    filled(here).close()
    lines = tmp_path / "all.jsonl"
    lines.write_text(export(capsys, here))
    assert run(capsys, "import", "--config", there, "--input", lines) == (0, "100 stored, 0 were there, 0 refused\n")
    assert export(capsys, there) == lines.read_text()
    reader = SqliteReader(there.parent / "data")
    history = reader.history("yanshan", "seat-01", NOON, NOON + DAY)
    assert [(interval.axes.use, interval.axes.evidence) for interval in history[:2]] == [
        ("occupied", "live"),
        ("occupied", "stale"),
    ]
    reader.close()


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_importing_twice_stores_once(here, there, tmp_path, capsys, raw):
    store = filled(here)
    plain = Batch()  # messages without identity, written in their own way
    plain.append(b"yz/yanshan/seat-01/state", b'{ "occupied": true, "ts": "2026-05-29T20:00:00+08:00" }', NOON, 0)
    plain.append(b"yz/yanshan/seat-02/state", b'{"occupied" : false}', NOON + 5, 0)
    plain.append(b"yz/yanshan/seat-02/event", b'{"type":"help"}', NOON + 6, 0)
    if raw:
        plain.append(b"yz/yanshan/seat-02/availability", b"online", NOON + 7, 1)
    store.commit(plain, [], [], NOON + 2 * DAY)
    store.close()
    lines = tmp_path / "all.jsonl"
    lines.write_text(export(capsys, here, *raw))
    count = 100 + len(plain)
    for config_path in (here, there, there):
        run(capsys, "import", "--config", config_path, "--input", lines)
    assert run(capsys, "import", "--config", there, "--input", lines)[1].startswith("0 stored")
    assert len(export(capsys, here, "--raw").splitlines()) == count
    assert len(export(capsys, there, "--raw").splitlines()) == count


def test_what_is_imported_raises_no_alarm(here, there, tmp_path, capsys):
    store = filled(here)
    cry = Batch()
    cry.append(b"yz/yanshan/seat-02/event", b'{"type":"help"}', NOON + DAY, 0)
    store.commit(cry, [], [], NOON + DAY)
    store.close()
    lines = tmp_path / "all.jsonl"
    lines.write_text(export(capsys, here))
    assert run(capsys, "import", "--config", there, "--input", lines)[1].startswith("101 stored")
    store = SqliteStore(there.parent / "data", NOON + DAY, ballast_mib=0)
    assert AlertReader(there.parent / "data").cursor() == store.last_id > 0
    store.close()


def test_what_is_missing_joins_a_store_that_goes_on(here, tmp_path, capsys):
    filled(here).close()
    lines = tmp_path / "more.jsonl"
    older = {
        "station": "yanshan",
        "device": "seat-01",
        "kind": "state",
        "boot": "b0",
        "ts": None,
        "data": {"occupied": True},
    }
    records = [{**older, "seq": seq, "received_at": NOON - 1000 + seq} for seq in range(5)]
    stranger = {**records[0], "device": "seat-99"}
    lines.write_text("\n".join(json.dumps(record) for record in [*records, stranger]))
    assert run(capsys, "import", "--config", here, "--input", lines) == (0, "5 stored, 0 were there, 1 refused\n")
    boots = [json.loads(line)["boot"] for line in export(capsys, here).splitlines()]
    assert boots.count("b0") == 5
    assert boots.count("b1") == 100


@pytest.mark.parametrize("bad", ['{"station":"yanshan"}', "[1]", '{"received_at":-1,"topic":"yz/a/b/state"}', "{"])
def test_a_line_that_is_none_is_named_and_nothing_is_stored(here, tmp_path, capsys, bad):
    lines = tmp_path / "bad.jsonl"
    filled(here).close()
    before = export(capsys, here)
    lines.write_text(f"{before.splitlines()[0]}\n{bad}\n")
    status, told = run(capsys, "import", "--config", here, "--input", lines)
    assert status == 2
    assert f"{lines}:2: not a line of `yizhan export`" in told
    assert "nothing was imported" in told
    assert export(capsys, here) == before


def test_a_line_from_the_future_opens_no_day(here, there, tmp_path, capsys):
    lines = tmp_path / "future.jsonl"
    filled(here).close()
    first, second, *_ = export(capsys, here).splitlines()
    ahead = json.dumps({**json.loads(second), "received_at": 4_102_444_800_000})  # 2100
    lines.write_text(f"{first}\n{ahead}\n")
    assert run(capsys, "import", "--config", there, "--input", lines) == (0, "1 stored, 0 were there, 1 refused\n")
    assert len(export(capsys, there).splitlines()) == 1


INFLUX = (
    "ballast_mib: 0, influx: {{url: '{url}', org: o, bucket: b, token_file: {folder}/token, retention_days: {days}}}"
)


def with_influx(folder: Path, url: str, days: int) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text("secret")
    return config(folder, INFLUX.format(url=url, folder=folder, days=days))


def test_the_bucket_is_made_with_its_retention_and_then_left_alone(tmp_path, capsys):
    with influx_server() as server:
        path = with_influx(tmp_path / "here", server.url, 30)
        assert run(capsys, "store", "init", "--config", path) == (0, "bucket b is made and keeps 30 days\n")
        (made,) = server.buckets
        assert (made["name"], made["orgID"]) == ("b", "000a")
        assert made["retentionRules"] == [{"type": "expire", "everySeconds": 30 * 86_400}]
        assert run(capsys, "store", "init", "--config", path) == (0, "bucket b is there and keeps 30 days\n")
        path = with_influx(tmp_path / "here", server.url, 0)
        assert run(capsys, "store", "init", "--config", path)[1] == "bucket b was there; now it keeps everything\n"
        assert server.buckets[0]["retentionRules"] == [{"type": "expire", "everySeconds": 0}]


def test_a_bucket_of_the_servers_own_is_never_taken_for_ours(tmp_path, capsys):
    with influx_server() as server:
        server.lists_its_own = True
        path = with_influx(tmp_path / "here", server.url, 30)
        assert run(capsys, "store", "init", "--config", path) == (0, "bucket b is made and keeps 30 days\n")
        assert [bucket["name"] for bucket in server.buckets] == ["b"]


def test_an_organisation_that_is_not_there_is_told(tmp_path, capsys):
    with influx_server() as server:
        path = with_influx(tmp_path / "here", server.url, 30)
        path.write_text(path.read_text().replace("org: o", "org: other"))
        status, told = run(capsys, "store", "init", "--config", path)
        assert (status, "shows no organisation other: check store.influx.org" in told) == (1, True)


def test_an_engine_without_buckets_needs_none(tmp_path, capsys):
    with influx_server() as server:
        server.bucket_status = 400
        path = with_influx(tmp_path / "here", server.url, 0)
        status, told = run(capsys, "store", "init", "--config", path)
        assert status == 0
        assert "has no buckets and needs none" in told


def test_a_token_that_may_not_and_a_server_that_is_away_are_told(tmp_path, capsys):
    with influx_server() as server:
        server.bucket_status = 401
        path = with_influx(tmp_path / "here", server.url, 0)
        status, told = run(capsys, "store", "init", "--config", path)
        assert (status, "write:buckets" in told) == (1, True)
    status, told = run(capsys, "store", "init", "--config", path)
    assert (status, "check store.influx.url" in told) == (1, True)


def test_doctor_tries_the_copy_and_leaves_nothing_in_it(tmp_path, capsys):
    with influx_server() as server:
        path = with_influx(tmp_path / "here", server.url, 0)
        copy = load(path).store.influx
        assert [line.mark for line in doctor_copies.copy(copy)] == ["ok"]
        assert server.requests == [["# yizhan doctor"]]
        server.rule = lambda _lines: (404, {})
        (line,) = doctor_copies.copy(copy)
        assert (line.mark, line.text.endswith("run `yizhan store init`")) == ("fail", True)
    (line,) = doctor_copies.copy(copy)
    assert (line.mark, "the journal keeps everything" in line.text) == ("fail", True)


def test_without_a_copy_there_is_nothing_to_make_or_compare(here, capsys):
    assert run(capsys, "store", "init", "--config", here)[0] == 0
    assert run(capsys, "store", "compare", "--config", here)[0] == 2


def test_a_day_is_compared_by_hand_and_mended_if_wanted(tmp_path, capsys):
    with influx_server() as server:
        path = with_influx(tmp_path / "here", server.url, 0)
        store = filled(path, days=1)
        words = ("store", "compare", "--config", path, "--day", "2026-05-29")
        row = "yanshan          seat                 50         {:2}         {:2}          0\n"
        assert run(capsys, *words)[0] == 0  # the gateway has copied none of it yet
        store.write([MoveCopy(f"{server.url} o/b", store.last_id)])
        capsys.readouterr()
        assert main([str(word) for word in words]) == 1
        assert capsys.readouterr().out.endswith(row.format(0, 50))
        assert run(capsys, *words, "--mend")[1].endswith(row.format(50, 0))
        assert len(server.points) == 50
        store.close()
    assert run(capsys, *words[:-1], "2126-05-29")[0] == 2


def test_a_card_is_forgotten_when_its_person_asks(here, capsys):
    store = filled(here)
    passage = Batch()
    passage.append(b"yz/yanshan/seat-01/event", b'{"type":"card","card":"ab12"}', NOON + DAY, 0)
    store.commit(passage, [], [], NOON + DAY)
    words = ("store", "forget", "--config", here, "--card", "ab12")
    assert run(capsys, *words)[0] == 1  # a gateway has it open
    store.close()
    assert run(capsys, *words)[1].startswith("taken out of 1 stored events")
    assert "ab12" not in export(capsys, here)
    exported, line = AccessBook(here.parent / "data").lines(9)
    assert (line.what, line.detail) == ("card_forgotten", "1 stored events")
    assert (exported.what, exported.target) == ("exported", "every station")
    assert "ab12" not in str(line)


def test_doctor_tells_of_the_key_that_commands_are_signed_with(tmp_path):
    path = tmp_path / "command.key"
    box = Settings.model_validate({"store": {"path": tmp_path}})
    bridge = {"station": "yanshan", "id": "box-1", "buses": []}
    assert "made at the first start" in doctor_keys.command_key(box).text
    line = doctor_keys.command_key(box.model_copy(update={"bridge": bridge}))
    assert (line.mark, "takes no command" in line.text) == ("warn", True)
    made_key(path)
    assert doctor_keys.command_key(box).mark == "ok"
    path.chmod(0o644)
    assert (doctor_keys.command_key(box).mark, "chmod 600" in doctor_keys.command_key(box).text) == ("warn", True)
    path.write_text("short")
    assert doctor_keys.command_key(box).mark == "fail"


def test_a_backup_is_for_its_owner_alone_and_holds_the_trail(here, there, tmp_path, capsys):
    filled(here).close()
    data, safe = here.parent / "data", tmp_path / "safe"
    AccessBook(data).note(NOON, "li", "logged_in", "key", "127.0.0.1")
    safe.mkdir()
    old = safe / "2020-01-01.day.db"
    old.touch(0o644)
    for _ in range(2):
        assert run(capsys, "backup", "--config", here, "--to", safe)[0] == 0
    assert {path.name: path.stat().st_mode & 0o077 for path in safe.iterdir() if path.stat().st_mode & 0o077} == {}
    old.unlink()
    assert run(capsys, "restore", "--config", there, "--from", safe)[0] == 0
    lines = AccessBook(there.parent / "data").lines(9)
    assert [line.who for line in lines if line.what == "logged_in"] == ["li"]
    assert [line.what for line in lines] == ["restored", "backed_up", "logged_in"]


def test_a_trail_that_is_there_goes_on_after_a_restore(here, there, tmp_path, capsys):
    filled(here).close()
    AccessBook(here.parent / "data").note(NOON, "li", "logged_in", "key")
    run(capsys, "backup", "--config", here, "--to", tmp_path / "safe")
    AccessBook(there.parent / "data").note(NOON, "wang", "key_revoked", "key")
    assert run(capsys, "restore", "--config", there, "--from", tmp_path / "safe")[0] == 0
    assert [line.what for line in AccessBook(there.parent / "data").lines(9)] == ["restored", "key_revoked"]


def test_doctor_tells_of_files_that_others_may_read(here, tmp_path):
    filled(here).close()
    tmp_path.chmod(0o755)
    secret = tmp_path / "password"
    secret.write_text("geheim")
    login = f"mqtt: {{url: 'mqtt://h', username: u, password_file: {secret}}}"
    here.write_text(here.read_text().replace('mqtt: {url: "mqtt://127.0.0.1:9"}', login))
    settings, data = load(here), here.parent / "data"
    for path in (secret, *data.glob("*.db")):
        path.chmod(0o600)
    assert doctor_keys.rights(settings).mark == "ok"
    secret.chmod(0o644)
    line = doctor_keys.rights(settings)
    assert (line.mark, f"chmod go-rwx {secret}" in line.text) == ("warn", True)
    secret.chmod(0o600)
    data.chmod(0o755)
    (data / "yizhan.db").chmod(0o644)
    aside = here.parent / "data.before-restore-20260101T000000"
    aside.mkdir()
    aside.chmod(0o755)  # whatever the umask of this process is
    (aside / "yizhan.db").touch()
    (aside / "yizhan.db").chmod(0o644)
    line = doctor_keys.rights(settings)
    assert str(data / "yizhan.db") in line.text
    assert str(aside / "yizhan.db") in line.text
    data.chmod(0o700)
    aside.chmod(0o700)
    assert doctor_keys.rights(settings).mark == "ok", "who can't enter the folder can't read"
