"""A journal, and a server that takes the copy of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schema.store import Influx
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.influx_server import InfluxServer, influx_server
from tests.gateway.store.world import NOON


@pytest.fixture
def server() -> Iterator[InfluxServer]:
    with influx_server() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "data", NOON, ballast_mib=0)
    yield opened
    opened.close()


@pytest.fixture
def influx(server: InfluxServer, tmp_path: Path) -> Influx:
    (tmp_path / "token").write_text("secret")
    return Influx(url=server.url, org="o", bucket="b", token_file=tmp_path / "token", batch_rows=100)
