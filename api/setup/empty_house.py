"""The house that `yizhan up` opens where nothing is configured yet: a folder with one short file, on loopback."""

import os
import socket
from pathlib import Path
from typing import Final

from config.load import files_of

FOLDER: Final = Path("house")
FILE: Final = "house.yaml"
HTTP: Final = "127.0.0.1:8080"
BROKER: Final = ("127.0.0.1", 1883)
_LOOK_S: Final = 1.0

_TEXT = """\
# 这是 yizhan up 建的空驿站。在浏览器的 /setup 里点，或在这里改，改的都是同一个文件；每次保存都留有版本，可以撤销。
# Made by `yizhan up`: a house without stations. A click on /setup and an editor change the same lines here; every save
# is kept as a version and can be undone.

mqtt:
  url: {mqtt}   # {why}

store:
  path: {data}

api:
  listen: {http}   # 让手机也能打开：改成 0.0.0.0:8080 后重启 / for phones in the house: 0.0.0.0:8080, then restart

timezone: Asia/Shanghai
"""
_FOUND = "这台机器上已有的 MQTT 服务 / the broker that this machine has"
_OWN = "自带，仅限本机；要接局域网设备请装 mosquitto / built in, for this machine alone; install mosquitto for more"
_GIVEN = "启动时指定 / as given at the start"


def open_house(folder: Path, mqtt: str | None = None, http: str | None = None) -> bool:
    """Make the folder a configuration, if it is none yet; whether it was made now. OSError where it can't be written.

    `mqtt` is the broker's URL; by default the one on this machine's port 1883, or our own where there is none.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    if files_of(folder):
        return False
    host, port = BROKER
    answers = mqtt is None and _answers(host, port)
    url = mqtt or (f"mqtt://{host}:{port}" if answers else f"embedded://{host}:{port}")
    why = _GIVEN if mqtt else _FOUND if answers else _OWN
    text = _TEXT.format(mqtt=url, why=why, http=http or HTTP, data=os.environ.get("YIZHAN_DATA") or "data")
    handle = os.open(folder / FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _LOOK_S).close()
    except OSError:
        return False
    return True
