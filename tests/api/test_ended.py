"""What an API leaves when it has ended."""

import gc
import weakref
from pathlib import Path

import pytest

from tests.api.conftest import serving


@pytest.mark.parametrize("streams", [0, 1])
def test_an_ended_api_leaves_nothing_behind(tmp_path: Path, streams: int) -> None:
    server = serving(tmp_path)
    house = next(server)
    for _ in range(streams):
        with house.client.stream("GET", "/api/v1/stream") as lines:
            next(lines.iter_lines())
    app = weakref.ref(house.app)
    del house
    server.close()
    del server
    gc.collect()
    assert app() is None
