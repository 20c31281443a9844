"""What is looked at once for all items: the configuration, keys, the trail, backups, and who may read the files."""

from dataclasses import dataclass

from api.access_book import AccessBook
from api.addresses import is_loopback
from api.audit_check import FOLDER, check_all, exports_since, faults_of
from api.auth import Key, Keyring
from api.certificates import look_at_certificates
from api.exposed_files import exposed
from config.schema import Settings
from gateway.base.backup_state import asked_state, trouble_of
from gateway.model import Millis

TRAIL_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Look:
    """`backed_up_at` None: never, as far as the trail goes. `backup_trouble`: of those that the configuration asks for.

    `open_files`: secrets and databases that others may read.
    """

    settings: Settings
    now: Millis
    keys: tuple[Key, ...]
    trail_lines: int
    trail_faults: tuple[str, ...]
    exports: int
    backed_up_at: Millis | None
    failed_log_ins: int
    backup_trouble: str | None
    certificates: tuple[str, ...]
    open_files: tuple[str, ...]

    @property
    def web_is_safe(self) -> bool:
        """Whether nobody on the way reads what browsers say: https of ours, or loopback (and a proxy there)."""
        return self.settings.api.cert_file is not None or is_loopback(self.settings.api.listen.host)

    @property
    def broker_is_safe(self) -> bool:
        return not any(endpoint.exposed for endpoint in self.settings.mqtt.endpoints)

    @property
    def broker_has_users(self) -> bool:
        return self.settings.mqtt.endpoint.embedded or self.settings.mqtt.username is not None

    @property
    def eternal_keys(self) -> int:
        return sum(key.expires_at is None for key in self.keys)

    @property
    def shared_names(self) -> int:
        """Keys whose name another good key has, too."""
        names = [key.name for key in self.keys]
        return sum(names.count(name) > 1 for name in names)


def look_at(settings: Settings, now: Millis) -> Look:
    """OSError, StoreError where something can't be read at all."""
    folder = settings.store.path
    checked = check_all(folder, exports_since(now, settings.store.retention.alerts_days))
    lines = AccessBook(folder).lines(TRAIL_LOOKED_AT)
    keys = tuple(key for key in Keyring.of(settings).all() if key.expires_at is None or key.expires_at > now)
    state = asked_state(folder, now) if settings.backup is not None else None
    return Look(
        settings,
        now,
        keys,
        sum(trail.lines for trail in checked if not trail.of_exports),
        tuple(faults_of(checked)),
        len([*(folder / FOLDER).glob("*.jsonl")]),
        max((line.at for line in lines if line.what == "backed_up"), default=None),
        sum(line.what == "log_in_failed" for line in lines),
        None if state is None else trouble_of(state, now),
        look_at_certificates(settings, now).ending,
        tuple(str(path) for path in exposed(settings)),
    )
