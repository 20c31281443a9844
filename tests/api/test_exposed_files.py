"""Secrets and databases that others of the machine could read or change."""

from pathlib import Path

import pytest

from api.exposed_files import exposed, told
from config.schema import Settings


@pytest.mark.parametrize("mode", [0o604, 0o602])
def test_what_others_may_read_or_change_is_told(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "access.json"
    path.write_text("{}")
    path.chmod(0o600)
    tmp_path.chmod(0o755)
    settings = Settings.model_validate({"store": {"path": tmp_path}, "stations": []}, context={"base": tmp_path})
    assert exposed(settings) == []
    path.chmod(mode)
    assert exposed(settings) == [path]
    assert told([path]) == f"others may read or change {path}: chmod go-rwx {path}"
