"""What is printed on a thing with a last good day: out of date is out of order, from the day after on."""

from datetime import UTC, date, datetime

from msgspec import UNSET, UnsetType

from gateway.kinds.known import Known
from gateway.model import Millis, Resource

DAY_MS = 86_400_000


class Expiring(Known):
    """`expires`: the end of the last good day."""

    __slots__ = ("expires",)

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.expires: Millis | None = None

    def printed(self, expires: date | UnsetType) -> None:
        """Take over the day that a message tells, if it tells one."""
        if expires is not UNSET:
            end = datetime(expires.year, expires.month, expires.day, tzinfo=UTC)
            self.expires = round(end.timestamp() * 1000) + DAY_MS

    def expired(self, now: Millis) -> bool:
        return self.expires is not None and now >= self.expires

    def expires_after(self, now: Millis) -> Millis | None:
        """The end of the last good day, while it is ahead."""
        return self.expires if self.expires is not None and now < self.expires else None
