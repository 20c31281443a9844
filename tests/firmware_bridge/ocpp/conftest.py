from pathlib import Path

import pytest

from tests.firmware_bridge.ocpp.certificates import made_authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_authority(tmp_path_factory.mktemp("certificates"))
