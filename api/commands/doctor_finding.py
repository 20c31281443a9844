"""One line of `yizhan doctor`."""

from typing import Literal, NamedTuple

FindingMark = Literal["ok", "warn", "fail"]


class DoctorFinding(NamedTuple):
    """What was tried, how it went, and if need be the mend."""

    mark: FindingMark
    what: str
    text: str
