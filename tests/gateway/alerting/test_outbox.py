from pathlib import Path

import pytest

from gateway.alerting.outbox import SteadyOutbox
from gateway.store.files import connect


def test_a_store_that_can_not_be_read_has_nothing_due_and_is_told_once_each_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    db = connect(tmp_path / "yizhan.db", "core")
    db.execute("ALTER TABLE outbox RENAME TO elsewhere")
    outbox = SteadyOutbox(tmp_path)
    assert (outbox.due(1), outbox.next_due(1), outbox.sent_at("duty", 0)) == ([], None, [])
    db.execute("ALTER TABLE elsewhere RENAME TO outbox")
    assert outbox.due(1) == []
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the outbox can't be read",
        "the outbox can be read again",
    ]
    outbox.close()
    db.close()
