"""A Radicale of our own, and a vdirsyncer that keeps a folder of what is in its calendar."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.patience import until
from tests.ports import free_port
from tests.readers.programs import readers

USER, PASSWORD = "yizhan", "open sesame"


@dataclass(frozen=True)
class Radicale:
    """`url` is that of one calendar, `hall`, of the user; `folder` is ours for what belongs to it."""

    url: str
    folder: Path

    def put(self, name: str, data: bytes) -> None:
        answer = httpx.put(
            f"{self.url}{name}", content=data, auth=(USER, PASSWORD), headers={"content-type": "text/calendar"}
        )
        assert answer.status_code in (201, 204), answer.text

    def get(self, name: str) -> str:
        return httpx.get(f"{self.url}{name}", auth=(USER, PASSWORD)).text

    def synced(self) -> dict[str, str]:
        """The calendar as vdirsyncer has it now: text by the name of the file."""
        copies, config = self.folder / "copies", self.folder / "vdirsyncer.conf"
        if not config.exists():
            copies.mkdir()
            config.write_text(
                f'[general]\nstatus_path = "{self.folder}/status/"\n\n'
                '[pair hall]\na = "here"\nb = "there"\ncollections = ["hall"]\nconflict_resolution = "b wins"\n\n'
                f'[storage here]\ntype = "filesystem"\npath = "{copies}"\nfileext = ".ics"\n\n'
                f'[storage there]\ntype = "caldav"\nurl = "{self.url.removesuffix("hall/")}"\n'
                f'username = "{USER}"\npassword = "{PASSWORD}"\n'
            )
            self._run("discover", "hall", answers="y\n" * 4)
        self._run("sync")
        return {path.name: path.read_text("utf-8") for path in copies.rglob("*.ics")}

    def _run(self, *words: str, answers: str = "") -> None:
        command = [str(readers() / "vdirsyncer"), "-c", str(self.folder / "vdirsyncer.conf"), *words]
        done = subprocess.run(command, input=answers, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr


@contextmanager
def radicale(folder: Path) -> Iterator[Radicale]:
    port = free_port()
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    (folder / "radicale.conf").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
        f"htpasswd_encryption = plain\n[storage]\nfilesystem_folder = {folder}/collections\n"
        "[rights]\ntype = owner_only\n"
    )
    with (folder / "radicale.log").open("wb") as log:
        command = [str(readers() / "python"), "-m", "radicale", "--config", str(folder / "radicale.conf")]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/{USER}/hall/"
    try:
        until(lambda: _made(url), "Radicale and its calendar")
        yield Radicale(url, folder)
    finally:
        server.terminate()
        server.wait()


def _made(url: str) -> bool:
    try:
        answer = httpx.request("MKCALENDAR", url, auth=(USER, PASSWORD))
    except httpx.TransportError:
        return False
    assert answer.status_code == 201, answer.text
    return True
