"""The shipped systemd units: what they keep from the service, and what the service needs all the same."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = ("yizhan.service", "yizhan-gateway.service", "yizhan-api.service", "yizhan-bridge.service")
MOST = 2.5  # of 10, as `systemd-analyze security` counts
COMMON = "# The same in every unit.\n"
TAKEN_AWAY = {
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "MemoryDenyWriteExecute=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "UMask=0077",
    "StateDirectoryMode=0700",
}


def lines_of(unit: str) -> list[str]:
    return [line for line in (DEPLOY / unit).read_text("utf-8").splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_takes_away_what_the_service_never_needs(unit: str) -> None:
    assert set(lines_of(unit)) >= TAKEN_AWAY


def test_every_unit_is_closed_in_the_same_way() -> None:
    (closed,) = {(DEPLOY / unit).read_text("utf-8").partition(COMMON)[2] for unit in UNITS}
    assert closed != ""


def test_every_unit_says_itself_when_it_is_ready_and_is_started_again_when_it_hangs() -> None:
    for unit in UNITS:
        assert {"Type=notify", "WatchdogSec=60", "Restart=always"} <= set(lines_of(unit))
        assert any(line.startswith("ExecReload=/usr/bin/yizhan reload") for line in lines_of(unit))


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_little_exposed_in_the_words_of_systemd(unit: str) -> None:
    """Where the program is not installed, or too old (before 250), the lines above are the proof."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    told = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", str(DEPLOY / unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "unrecognized option" in told.stderr:
        return
    exposure = re.search(r"Overall exposure level for \S+: (\d+\.\d)", told.stdout)
    assert exposure is not None, told.stderr
    assert float(exposure[1]) <= MOST


def test_the_bridge_sees_serial_ports_and_the_gateway_no_device() -> None:
    bridge, gateway = lines_of("yizhan-bridge.service"), lines_of("yizhan.service")
    assert {"SupplementaryGroups=dialout", "DevicePolicy=closed", "DeviceAllow=char-tty* rw"} <= set(bridge)
    assert not [line for line in bridge if line.startswith(("PrivateDevices", "PrivateUsers"))]
    assert "PrivateDevices=yes" in gateway


def test_both_find_the_command_key_and_write_in_one_place() -> None:
    for unit in UNITS:
        assert {"User=yizhan", "StateDirectory=yizhan", "Environment=YIZHAN_DATA=/var/lib/yizhan"} <= set(
            lines_of(unit)
        )
    assert "bridge.spool.path to /var/lib/yizhan/spool" in (DEPLOY / "yizhan-bridge.service").read_text("utf-8")
