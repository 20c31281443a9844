"""Caddy in front of us, as docs/tls.md has it, gets its certificate by ACME from an authority on this machine."""

import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import House, serving
from tests.api.conftest import folder as folder
from tests.certificates import signed_by_itself
from tests.patience import until
from tests.ports import free_port

NAME = "box.example"
MISSING = [name for name in ("pebble", "caddy") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed"),
]
CADDYFILE = """
{{
    storage file_system {folder}/caddy
    admin off
    http_port {http}
    https_port {https}
    acme_ca https://127.0.0.1:{acme}/dir
    acme_ca_root {folder}/authority.pem
}}
{name} {{
    reverse_proxy {ours} {{
        flush_interval -1
    }}
}}
"""


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    yield from serving(folder)


@contextmanager
def running(*command: str, **environment: str) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=os.environ | environment, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def connected(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), 5).close()
    return True


def page(port: int, trusted: ssl.SSLContext) -> str:
    """By the name that the certificate is for, whatever its address. OSError where it is not trusted."""
    asked = f"GET /m/yanshan HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        secure = trusted.wrap_socket(plain, server_hostname=NAME)
        with secure:
            secure.sendall(asked.encode())
            return secure.recv(1 << 16).decode("utf-8", "replace")


def test_a_certificate_is_had_by_acme_and_our_pages_come_through(house: House, tmp_path: Path) -> None:
    http, https, acme, management = (free_port() for _ in range(4))
    authority = tmp_path / "authority.pem"
    signed_by_itself(authority, tmp_path / "authority.key", ends=datetime(2050, 1, 1, tzinfo=UTC))
    pebble = {
        "listenAddress": f"127.0.0.1:{acme}", "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(authority), "privateKey": str(tmp_path / "authority.key"),
        "httpPort": http, "tlsPort": https, "ocspResponderURL": "", "externalAccountBindingRequired": False,
    }  # fmt: skip
    config, caddyfile = tmp_path / "pebble.json", tmp_path / "Caddyfile"
    config.write_text(json.dumps({"pebble": pebble}))
    ours = house.url.removeprefix("http://")
    caddyfile.write_text(CADDYFILE.format(folder=tmp_path, http=http, https=https, acme=acme, name=NAME, ours=ours))
    # Nobody resolves the name here: the authority believes every challenge.
    believes = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_VA_ALWAYS_VALID": "1"}
    at_home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(tmp_path))
    with running("pebble", "-config", str(config), **believes):
        until(lambda: connected(acme), "the authority")
        root = httpx.get(f"https://127.0.0.1:{management}/roots/0", verify=False).text
        trusted = ssl.create_default_context(cadata=root)
        with running("caddy", "run", "--config", str(caddyfile), "--adapter", "caddyfile", **at_home):
            answer = until(lambda: page(https, trusted), "a page by https that is trusted", pause_s=0.2)
    assert answer.startswith("HTTP/1.1 200")
