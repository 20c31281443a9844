"""A kill at any step of a delivery loses nothing; twice comes only what was answered and not yet kept."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.webhooks.dying import ACTIONS, LAST_USE
from tests.api.webhooks.receiver import Hit, app_server

STEPS_MIN = 60


def judged(hits: list[Hit], ambiguous: bool) -> int:
    """How many came twice: at most what was answered and not kept, unless a newer state took its place."""
    alerts = [hit.json["data"]["action"] for hit in hits if hit.json["type"] == "alert"]
    assert list(dict.fromkeys(alerts)) == list(ACTIONS), "each event, in order"
    states = [hit.json["data"] for hit in hits if hit.json["type"] == "availability"]
    assert states[-1]["areas"][0]["resources"][0]["use"] == LAST_USE
    seen: dict[str, bytes] = {}
    twice = 0
    for hit in hits:
        name = hit.headers["webhook-id"]
        twice += name in seen
        assert seen.setdefault(name, hit.body) == hit.body, "one name, one message"
    assert twice <= ambiguous
    return twice


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_at_any_step_loses_nothing_and_repeats_only_what_was_answered(tmp_path: Path) -> None:
    with app_server() as app:
        command = [sys.executable, "-m", "tests.api.webhooks.dying", str(tmp_path / "folders"), app.url]
        (tmp_path / "folders").mkdir()
        done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
        lives = [json.loads(text) for text in done.stdout.splitlines()]
        assert done.returncode == 0, done.stderr
        *deaths, whole = lives
        assert whole == {"steps": len(deaths), "status": 0}, done.stderr
        assert len(deaths) >= STEPS_MIN
        assert {life["status"] for life in deaths} == {0}, done.stderr
        assert sum(judged(app.at(f"/{life['number']}"), life["ambiguous"]) for life in deaths) > 0
        judged(app.at(f"/{len(deaths)}"), ambiguous=False)
