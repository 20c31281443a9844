"""What the routes are given: one object, made by `create_app`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from api.attempts import Attempts
from api.auth import Keyring
from api.derived import Derived
from api.directory import Directory
from api.live_view import LiveView
from api.pile_line import PileLines
from api.push import Hub
from api.running import Running
from api.setup.code import SetupCode
from api.walls import Walls
from api.workers import LISTS, Workers
from config.schema import Settings
from gateway.base.failed_log_ins import FailedLogInCount
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.runtime.status import Status
from gateway.store.base import Reader


@dataclass(frozen=True, slots=True)
class ApiContext:
    """`reader_factory` opens the store's read side: cheap, for one request and one thread. `now` is the API's clock.

    `workers` answer costly questions about the past, `lists` those about all stations of a large network.
    `walls` knows the screens' pages. `command(topic, text)` tells the gateway,
    signed, what people change, wherever it runs; None where there is no way. `left_out()`: what gateways leave out of
    what is told them, as `station/what`, and how often. `running` is the configuration, and takes its files up again.
    `setup_code` lets the first administrator of an empty house in.
    `pile_lines` begins the line to charging piles when it is first asked for. `attempts`: log-ins that failed, by
    whatever way.
    """

    running: Running
    view: LiveView
    hub: Hub
    reader_factory: Callable[[], Reader]
    status: Callable[[], Status]
    now: Callable[[], Millis]
    keyring: Keyring
    registry: CollectorRegistry
    command: Callable[[str, bytes], None] | None = None
    workers: Workers = field(default_factory=Workers)
    lists: Workers = field(default_factory=lambda: Workers(LISTS))
    walls: Walls = field(default_factory=Walls)
    left_out: Callable[[], Mapping[str, int]] = dict
    directory: Derived[Directory] = field(init=False)
    activities: Callable[[str], Mapping[str, Sequence[Activity]]] | None = None
    setup_code: SetupCode | None = None
    pile_lines: PileLines = field(kw_only=True)
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        directory = Derived(self.running.settings, lambda settings: Directory(self.view, settings.stations))
        object.__setattr__(self, "directory", directory)
        failing = FailedLogInCount(self.settings.store.path)
        object.__setattr__(self, "attempts", Attempts(self._tell_of_failed_log_ins, at_each=failing.failed))

    def _tell_of_failed_log_ins(self, address: str, count: int) -> None:
        self.keyring.book.note(self.now(), "unknown", "log_in_failed", "login", f"{count} times, {address}")

    @property
    def settings(self) -> Settings:
        """What runs now; another after a reload, so ask for each request."""
        return self.running.settings()
