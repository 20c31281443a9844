"""atheris on the core: whatever bytes come, each is stored or kept aside, and no identity number is stored.

python -m tests.soak.fuzz_pipeline -runs=500000 -max_len=400
"""

import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["gateway.wire", "gateway.core.pipeline", "gateway.live", "gateway.kinds"]):
    from gateway import wire
    from tests.gateway.world import NOON, Town

RESOURCES = [{"id": "thing", "kind": "seat"}, {"id": "pile", "kind": "charger", "device": "thing"}]
EVERY = 2_000  # messages to one town: a fresh one forgets what the last has seen

state: dict[str, Any] = {"town": Town(*RESOURCES), "count": 0}


def feed(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    which = provider.PickValueInList([*wire.TOPICS, "", "x"])
    flags = provider.PickValueInList([0, 1, 8])
    payload = provider.ConsumeBytes(4_000)
    state["count"] += 1
    if state["count"] % EVERY == 0:
        state["town"] = Town(*RESOURCES)
    town = state["town"]
    town.pipeline.handle_all([(f"yz/yanshan/thing/{which}".encode(), payload, flags)], NOON + state["count"])
    outcome = town.pipeline.take()
    assert len(outcome.batch) + len(outcome.rejected) <= 1
    for kept in (*outcome.batch.payloads, *(rejected.payload for rejected in outcome.rejected)):
        assert not wire.carries_identity(kept)


if __name__ == "__main__":
    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()
