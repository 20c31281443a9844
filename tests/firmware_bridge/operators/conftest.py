from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_bridge.ocpp.rig import SpoolSink


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SpoolSink]:
    made = SpoolSink(tmp_path / "spool")
    yield made
    made.spool.close()
