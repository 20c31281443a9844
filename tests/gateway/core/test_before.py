"""What is copied before a message is the whole of what it may change."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.before import changeable, doubt_of, facts_of, fresh_of
from gateway.evidence.doubt import Doubt
from gateway.evidence.facts import Facts
from gateway.evidence.freshness import Freshness


class Named:
    """Whatever is asked of it is its own name."""

    def __getattr__(self, name: str) -> str:
        return name


@pytest.mark.parametrize(
    ("part", "read"), [(Facts, facts_of), (Freshness, fresh_of), (Doubt, doubt_of)], ids=["facts", "fresh", "doubt"]
)
def test_every_slot_that_a_message_may_change_is_copied(part: type, read: Callable[[Any], tuple[str, ...]]) -> None:
    mend = (
        f"{read.__name__} in gateway/core/before.py reads every slot, in their order; what stays as it is goes to STAYS"
    )
    assert read(Named()) == changeable(part), mend
