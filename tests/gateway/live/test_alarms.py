"""The heap of deadlines: one a time for each owner, in order, also after the clock was set."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.alarms import Alarms

moments = st.integers(0, 50)


@dataclass(eq=False)
class Owner:
    alarm: int | None = None


@given(
    st.lists(st.tuples(st.integers(0, 29), moments), min_size=10, max_size=60),
    st.lists(st.integers(-100, 100), min_size=1, max_size=3),
)
def test_every_owner_fires_at_the_earliest_of_its_moments_whatever_was_superseded(wishes, shifts):
    alarms, owners = Alarms(), [Owner() for _ in range(30)]
    earliest: dict[int, int] = {}
    for owner, when in wishes:
        alarms.set(owners[owner], when)
        earliest[owner] = min(when, earliest.get(owner, when))
    for by in shifts:
        alarms.shift(by)
    fired = {}
    for now in range(-400, 401):
        while (due := alarms.pop_due(now)) is not None:
            fired[next(n for n, owner in enumerate(owners) if owner is due)] = now
    assert fired == {owner: when + sum(shifts) for owner, when in earliest.items()}
