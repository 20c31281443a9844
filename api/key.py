"""Who somebody is to us: a key, or a person who logged in otherwise, with a role and a reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from api.reach import within
from gateway.model import Millis

Role = Literal["app", "viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Key:
    """One key without its secret. Empty `stations` and `regions` mean: everywhere. `expires_at` None: never.

    A region is a path as `api.reach` writes it. `alerts`: whether an app may be told of them; staff may anyway.
    A person of the configuration is one, too: its id begins with `@`, and no token is it.
    """

    id: str
    name: str
    role: Role
    sha256: str
    created_at: Millis
    stations: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    expires_at: Millis | None = None
    alerts: bool = False

    def covers(self, station: str, region: Iterable[str]) -> bool:
        """Whether the key's scope holds this station of this region path."""
        path = tuple(region)
        return self.everywhere or station in self.stations or any(within(path, reach) for reach in self.regions)

    @property
    def everywhere(self) -> bool:
        return not (self.stations or self.regions)

    def at_least(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)
