import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.store.alerts_reader import AlertReader
from tests.gateway.notify.killable import SENT_AND_NOT_RECORDED, STEPS
from tests.gateway.notify.stub import Provider
from tests.patience import PATIENCE_S

LIVES = 100


@pytest.mark.slow
def test_a_hundred_kills_at_every_step_lose_no_alert_and_repeat_none_that_was_recorded(
    provider: Provider, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.gateway.notify.killable", str(tmp_path), provider.url, str(LIVES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert int(done.stdout) == LIVES
    told = Counter(request.json["alert"]["detail"]["subject"] for request in provider.requests)
    assert told.keys() == {f"button-{number}" for number in range(LIVES)}
    # Only a kill between the provider's answer and our record may repeat a message.
    repeated = {f"button-{number}" for number in range(LIVES) if 1 + number % STEPS in SENT_AND_NOT_RECORDED}
    assert {subject for subject, count in told.items() if count > 1} == repeated
    assert max(told.values()) == 2
    reader = AlertReader(tmp_path)
    assert reader.due(2**53) == []
    assert len(reader.alerts("open")) == LIVES
    reader.close()
