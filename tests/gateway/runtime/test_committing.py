"""When the live state is kept."""

import math

import pytest

from tests.gateway.runtime.test_gateway import listener, run, settings  # noqa: F401  fixtures
from tests.patience import until

pytestmark = pytest.mark.broker


def test_a_part_of_the_state_is_kept_after_so_many_messages_however_soon_they_came(run, listener):  # noqa: F811
    gateway = run()
    committing = gateway.intake.committing
    committing._part_at, committing._part_due, committing._snapshot_messages = math.inf, 10, 10
    before = {upto for _, upto, _ in gateway.store.checkpoints()}
    for seq in range(1, 10):
        listener.say(0, seq, occupied=bool(seq % 2))
        listener.until(lambda stored=seq: gateway.intake.stored == stored)
    assert {upto for _, upto, _ in gateway.store.checkpoints()} == before
    listener.say(0, 10, occupied=False)
    listener.until(lambda: gateway.intake.stored == 10)
    committing._part_at = math.inf
    listener.say(0, 11, occupied=True)
    until(lambda: max(upto for _, upto, _ in gateway.store.checkpoints()) == gateway.store.last_id)
