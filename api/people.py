"""The people of the configuration (`staff`), each as a `Key` that no token is: role and reach hold as a key's do."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from api.key import Key
from api.reach import Path, RegionError, regions_of, resolve
from config.schema import Settings, StaffMember

MARK = "@"
NO_REGION = "/"  # a reach that no station is in


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider says that somebody is: the configured claim, and the groups there."""

    provider: str
    user: str
    groups: tuple[str, ...] = ()


class StaffMembers:
    """The people of one configuration."""

    def __init__(self, settings: Settings) -> None:
        regions = regions_of(station.region for station in settings.stations)
        self._members = {MARK + member.id: member for member in settings.staff}
        self._keys = {name: _key(name, member, regions) for name, member in self._members.items()}

    def all(self) -> Sequence[Key]:
        """In the order of the configuration."""
        return tuple(self._keys.values())

    def key(self, key_id: str) -> Key | None:
        """The person of this id (`@…`), as they are now."""
        return self._keys.get(key_id)

    def is_one_person(self, key_id: str) -> bool:
        """Whether the entry is not that of a group."""
        member = self._members.get(key_id)
        return member is not None and not any(login.group for login in member.logins)

    def named(self, identity: Identity) -> Key | None:
        """The person of this identity. Somebody who is named goes before a group; a member of a group is told by its
        name and their own."""
        for name, member in self._members.items():
            if any(
                login.user == identity.user
                for login in member.logins
                if login.provider == identity.provider and login.user
            ):
                return self._keys[name]
        for name, member in self._members.items():
            if _in_group(member, identity.provider, identity.groups):
                key = self._keys[name]
                return replace(key, name=f"{key.name} ({identity.user[:100]})")
        return None


def _in_group(member: StaffMember, provider: str, groups: Collection[str]) -> bool:
    """An admin is named, whatever the configuration says."""
    wanted = {login.group for login in member.logins if login.provider == provider and login.group}
    return member.role != "admin" and not wanted.isdisjoint(groups)


def _key(name: str, member: StaffMember, known: Collection[Path]) -> Key:
    regions = []
    for region in member.regions:
        try:
            regions.append(resolve(region, known))
        except RegionError:  # never wider than what is meant
            regions.append(NO_REGION)
    logins = sorted((login.provider, login.user or "", login.group or "") for login in member.logins)
    digest = hashlib.sha256(f"person {name} {logins}".encode()).hexdigest()  # a session is of who came in so
    return Key(name, member.name, member.role, digest, 0, tuple(member.stations), tuple(regions))
