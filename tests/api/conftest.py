"""A real application on a real server, over a store that was really written."""

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.app import App, create_app
from api.connections import ConnectionBounds
from api.live_view import LiveView
from api.reloading import Reloading
from api.server import bind, serve
from api.setup.code import SetupCode
from api.tls import ServedCertificate
from config.load import load
from config.schema import Settings
from gateway.model import Batch, Change, Resource, axes_of
from gateway.runtime.status import Status
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore

NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z
MINUTE = 60_000
CONFIG: dict[str, Any] = {
    "mqtt": {"url": "mqtt://127.0.0.1:1"},  # where nobody listens: a broker of this machine has no part in a test
    "stations": [
        {
            "id": "yanshan",
            "name": {"zh": "雁山社区爱心驿站"},
            "region": ["广东", "江门", "鹤山"],
            "location": {"lat": 22.765, "lon": 112.964},
            "areas": [
                {"id": "lounge", "resources": [{"id": "seat-01", "kind": "seat"}, {"id": "seat-02", "kind": "seat"}]},
                {"id": "yard", "resources": [{"id": "pile-01", "kind": "charger", "type": "ebike"}]},
            ],
        },
        {
            "id": "shaping",
            "name": {"zh": "沙坪驿站"},
            "region": ["广东", "江门"],
            "location": {"lat": 22.77, "lon": 112.96},
            "areas": [{"id": "hall", "resources": [{"id": "locker", "kind": "locker", "capacity": 20}]}],
        },
        {"id": "nowhere", "areas": []},
    ],
}


@dataclass
class Clock:
    """The time the API is told; tests move it."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now


@dataclass
class House:
    """One served application. `url` has no slash at its end."""

    url: str
    client: httpx.Client
    app: App
    view: LiveView
    clock: Clock
    status: list[Status]
    stop: Callable[[], None]
    screens: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def status_of(self, method: str, path: str, **more: Any) -> int:
        """Of an answer that may be a stream without end. Any other is read, so that its connection serves the next."""
        with self.client.stream(method, path, **more) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
            return answer.status_code


def settings_in(folder: Path, **api: Any) -> Settings:
    return Settings.model_validate(
        CONFIG | {"store": {"path": folder}, "api": api}, context={"base": folder, "check_files": False}
    )


def serving(
    folder: Path,
    bounds: ConnectionBounds | None = None,
    files: Path | None = None,
    setup_code: SetupCode | None = None,
    certificate: ServedCertificate | None = None,
    **api: Any,
) -> Generator[House, None, None]:
    """Serve on a free port until the generator is closed. `files`: of a configuration."""
    settings = settings_in(folder, **api) if files is None else load(files)
    running = None if files is None else Reloading(files, settings, load)
    clock, stop = Clock(), threading.Event()
    view = LiveView(settings.stations, clock)
    status = [Status(connected=True, subscribed=True, store_ok=True, troubles=(), started_at=NOON)]
    screens: list[tuple[str, str]] = []
    left_out: dict[str, int] = {}
    app = create_app(
        view,
        lambda: SqliteReader(folder),
        settings,
        lambda: status[0],
        registry=CollectorRegistry(),
        now=clock,
        on_screen=lambda screen, station: screens.append((screen, station)),
        left_out=lambda: left_out,
        running=running,
        setup_code=setup_code,
    )
    sock = bind("127.0.0.1", 0)
    url = f"{'http' if certificate is None else 'https'}://127.0.0.1:{sock.getsockname()[1]}"
    client = httpx.Client(base_url=url, timeout=60, verify=False)  # one for all: making one costs more than asking
    thread = threading.Thread(
        target=serve,
        args=(app, sock, stop),
        kwargs={"trusted_proxies": "127.0.0.1", "bounds": bounds, "certificate": certificate},
        daemon=True,
    )

    def end() -> None:
        stop.set()
        thread.join(60)
        assert not thread.is_alive(), "the server did not stop within a minute"

    thread.start()
    try:
        yield House(url, client, app, view, clock, status, end, screens, left_out)
    finally:
        client.close()
        end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which seat-01 was free for ten minutes before noon, then taken for five, then free."""
    path = tmp_path_factory.mktemp("store")
    store = SqliteStore(path, NOON, ballast_mib=0)
    seat = Resource("yanshan", "lounge", "seat-01", "seat", "seat-01")
    never = axes_of("active", "ok", "open", "unknown", "never")
    free = axes_of("active", "ok", "open", "free", "live")
    taken = axes_of("active", "ok", "open", "occupied", "live")
    changes = [
        Change(seat, NOON - 15 * MINUTE, never, free, "state"),
        Change(seat, NOON - 5 * MINUTE, free, taken, "state"),
        Change(seat, NOON - 1, taken, free, "state"),
    ]
    store.commit(Batch(), changes, [], NOON)
    store.close()
    return path


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[House]:
    yield from serving(folder)
