"""Whether a change says anything new: most changes of use say of every trouble that it isn't there, nor was before."""

from collections.abc import Iterator

from gateway.alerts.cases import Cases
from gateway.alerts.groups import Groups
from gateway.alerts.muting import Mutes
from gateway.alerts.rules import conditions_of, subject_of
from gateway.model import Change


def is_news(change: Change, cases: Cases, groups: Groups, mutes: Mutes) -> bool:
    """Whether there is anything to judge. False: all that may follow is that a device joins its groups."""
    return mutes.would_move(change) or groups.would_lose(change) or any(matters(change, cases))


def matters(change: Change, cases: Cases) -> Iterator[tuple[str, bool]]:
    """What it says of troubles that hold, or of which there is a case: kind, and whether it holds."""
    resource = change.resource
    for kind, holds in conditions_of(change).items():
        if holds or (holds is False and cases.get((resource.station, subject_of(resource, kind), kind)) is not None):
            yield kind, holds
