"""Photos of checks while the server is killed at any moment: what was said to be durable is there, whole, and alone."""

import http.client
import signal
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.jpeg import without_metadata
from tests.api.test_jpeg import PLAIN
from tests.e2e.rig import Yizhan, yizhan
from tests.e2e.test_checks import CONFIG, TOKEN
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
MANY, KILLS = 60, 4


class Camera:
    """Brings a check and its photo, again and again until the server has both; each photo is another one."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key, self.brought = port, key, list[str]()

    def photo(self, number: int) -> bytes:
        return without_metadata(PLAIN)[:-2] + bytes((number, 0, 0xFF, 0xD9))

    def ask(self, method: str, path: str, body: bytes = b"", token: str = TOKEN) -> tuple[int, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            link.request(method, f"/api/v1/stations/yanshan/checks{path}", body, headers)
            answer = link.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            link.close()

    def bring_all(self) -> None:
        for number in range(MANY):
            name = str(uuid.UUID(int=number + 1, version=4))
            at = datetime.now(UTC).isoformat()
            body = f'{{"id":"{name}","check":"tidy","at":"{at}","result":"ok"}}'.encode()
            until(lambda body=body: self.ask("POST", "", body)[0] in (200, 201))
            photo = self.photo(number)
            until(lambda name=name, photo=photo: self.ask("PUT", f"/{name}/photo", photo)[0] in (200, 201))
            self.brought.append(name)


def test_photos_through_kills(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "yizhan.yaml").write_text(CONFIG.format(mqtt=free_port(), http=(port := free_port())))
    made = yizhan(tmp_path, "keys", "create", "--config", "yizhan.yaml", "--role", "viewer", "--name", "v")
    camera = Camera(port, made.stdout.split()[-1])
    carrier = threading.Thread(target=camera.bring_all)
    carrier.start()
    for number in range(1, KILLS + 1):
        with Yizhan(tmp_path, "up", "--config", "yizhan.yaml") as server:
            until(lambda number=number: len(camera.brought) >= number * MANY // (KILLS + 1))
            server.stop(signal.SIGKILL)
    with Yizhan(tmp_path, "up", "--config", "yizhan.yaml") as server:
        carrier.join(300)
        assert not carrier.is_alive()
        for number, name in enumerate(camera.brought):
            assert camera.ask("GET", f"/{name}/photo", token=camera.key) == (200, camera.photo(number))
        assert server.stop()[0] == 0
    assert len(list((tmp_path / "data" / "photos").glob("*/*/*.jpg"))) == MANY
    backed_up = yizhan(tmp_path, "backup", "--config", "yizhan.yaml", "--to", "safe")
    assert backed_up.returncode == 0, backed_up.stderr
    assert len(list((tmp_path / "safe" / "photos").glob("*/*/*.jpg"))) == MANY
