"""A journal, and a server that takes the copy of it."""

import pytest

from config.schema.store import Influx
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.influx_server import influx_server
from tests.gateway.store.world import NOON


@pytest.fixture
def server():
    with influx_server() as one:
        yield one


@pytest.fixture
def store(tmp_path):
    one = SqliteStore(tmp_path / "data", NOON, ballast_mib=0)
    yield one
    one.close()


@pytest.fixture
def influx(server, tmp_path):
    (tmp_path / "token").write_text("secret")
    return Influx(url=server.url, org="o", bucket="b", token_file=tmp_path / "token", batch_rows=100)
