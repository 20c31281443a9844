"""`yizhan doctor` about the second copy in PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.chinese import told
from api.commands.doctor_replica import replica
from config.load import load
from config.schema import Settings
from gateway.store.replica.postgres import Postgres
from gateway.store.step_words import StoreStep
from tests.ports import free_port
from tests.postgres import Servers, servers

STATION = "stations: [{id: yanshan, areas: [{id: lounge, resources: [{id: seat-01, kind: seat}]}]}]\n"


@pytest.fixture
def cluster() -> Iterator[Servers]:
    yield from servers()


def configured(folder: Path, url: str | None) -> Settings:
    more = "" if url is None else ", replica: {url_file: url}"
    (folder / "url").write_text(url or "")
    (folder / "yizhan.yaml").write_text(f"store: {{path: data{more}}}\n{STATION}")
    return load(folder / "yizhan.yaml", {})


def test_without_a_replica_there_is_no_line(tmp_path: Path) -> None:
    assert list(replica(configured(tmp_path, None))) == []


def test_one_that_can_not_be_reached_is_a_failure_with_the_mend_and_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://yizhan:hidden@127.0.0.1:{free_port()}/yizhan"
    (line,) = replica(configured(tmp_path, url))
    assert (line.mark, line.what) == ("fail", "replica")
    assert "look at store.replica.url_file" in line.text
    assert "hidden" not in line.text
    assert "看 store.replica.url_file" in told(line.text)


def test_what_it_holds_is_told_and_that_no_standby_confirms(tmp_path: Path, cluster: Servers) -> None:
    server = cluster.new_server()
    server.make()
    server.start()
    settings = configured(tmp_path, server.url)
    fresh = list(replica(settings))
    assert [(line.mark, told(line.text)) for line in fresh] == [
        ("ok", "可以登录，里面还没有 gateway 的数据"),
        ("warn", "没有同步备机确认它收下的数据：synchronous_standby_names 是空的，PostgreSQL 那边只有一份"),
    ]
    with closing(Postgres(server.url, settings.gateway.id)) as connection:
        connection.claim("line")
        connection.insert(StoreStep(1, None, b""))
    assert next(replica(settings)).text == "it lets us in, and holds 1 commits of gateway"
