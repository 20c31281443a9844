"""`yizhan bridge` on a box that knows its broker and its bridge, and nothing else."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.cli import main
from firmware_bridge import runtime

ALONE = """
mqtt: {url: "mqtt://127.0.0.1:1"}
timezone: Asia/Urumqi
bridge:
  station: yanshan
  id: box-1
  buses: [{id: lobby, port: /dev/null, baud: 115200, protocol: yizhan}]
"""


def test_a_box_with_a_bridge_alone_starts_in_the_time_zone_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(runtime, "run", lambda *given: started.extend(given) or 0)
    config = tmp_path / "config.yaml"
    config.write_text(ALONE)
    assert main(["bridge", "--config", str(config)]) == 0
    assert started[2:4] == ["yizhan-yanshan-box-1", ZoneInfo("Asia/Urumqi")]
