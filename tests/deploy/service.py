#!/usr/bin/python3
"""`systemctl` of a root in which no init runs: starts what a unit says, as its user, and waits until it says READY=1.

It stands in the root as /usr/bin/systemctl and knows what the package's scripts ask: start, stop, restart, is-active,
is-failed, show, and yes to all else. Standard library only; what it starts leaves its log in /run/service/UNIT.log.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

STATE, UNITS = Path("/run/service"), Path("/usr/lib/systemd/system")
READY_S = STOP_S = 120


def main() -> int:
    verb, *words = sys.argv[1:]
    named = [word for word in words if word.endswith(".service")]
    unit = named[-1] if named else ""
    STATE.mkdir(exist_ok=True)
    if verb in ("stop", "restart"):
        stop(unit)
    if verb in ("start", "restart"):
        return start(unit)
    if verb == "is-active":
        return 0 if pid_of(unit) else 3
    if verb == "is-failed":
        return 0 if (STATE / f"{unit}.failed").exists() else 1
    if verb == "show":
        sys.stdout.write("0\n")
    return 0


def pid_of(unit: str) -> int:
    try:
        pid = int((STATE / f"{unit}.pid").read_text())
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return 0
    return 0 if state == "Z" else pid


def stop(unit: str) -> None:
    pid = pid_of(unit)
    if pid:
        note(unit, "stops")
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_S
        while pid_of(unit) and time.monotonic() < end:
            time.sleep(0.02)
    (STATE / f"{unit}.pid").unlink(missing_ok=True)


def start(unit: str) -> int:
    text = (UNITS / unit).read_text()
    command = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)[0].split()
    (STATE / f"{unit}.failed").unlink(missing_ok=True)
    address = STATE / f"{unit}.sock"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, (STATE / f"{unit}.log").open("ab") as log:
        notify.bind(str(address))
        address.chmod(0o666)
        child = subprocess.Popen(
            ["setpriv", "--reuid=yizhan", "--regid=yizhan", "--init-groups", *command],
            env={"PATH": "/usr/bin:/bin", "HOME": "/", "YIZHAN_DATA": "/var/lib/yizhan", "NOTIFY_SOCKET": str(address)},
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, umask=0o077,
        )  # fmt: skip
        (STATE / f"{unit}.pid").write_text(str(child.pid))
        notify.settimeout(0.1)
        end = time.monotonic() + READY_S
        while child.poll() is None and time.monotonic() < end:
            try:
                if b"READY=1" in notify.recv(4096):
                    note(unit, "ready")
                    return 0
            except TimeoutError:
                continue
    (STATE / f"{unit}.failed").touch()
    return 1


def note(unit: str, what: str) -> None:
    with (STATE / "times").open("a") as times:
        times.write(f"{time.time():.3f} {unit} {what}\n")


if __name__ == "__main__":
    sys.exit(main())
