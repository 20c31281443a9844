"""What doctor finds of the ports of buses, and of piles that are relayed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.commands.doctor_finding import DoctorFinding

RELAY_BEHIND_MIN = 15


def serial_ports(settings: Any) -> Iterator[DoctorFinding]:
    if settings.bridge is None:
        return
    from firmware_bridge.port import find, list_all

    for bus in settings.bridge.buses:
        port = str(bus.port)
        if port.startswith("usb:"):
            port = find(port, list_all()) or port
        if port.startswith(("http://", "https://")):
            from firmware_bridge.operators.configured import fault_of

            asked = f"{urlsplit(port).hostname} is asked; the bridge's log tells whether it answers"
            fault = fault_of(bus)
            yield DoctorFinding("ok" if fault is None else "fail", f"bus {bus.id}", fault or asked)
        elif bus.upstream is not None:
            yield _relayed(bus, settings.bridge.spool.path)
        elif "://" in port:
            yield DoctorFinding("ok", f"bus {bus.id}", f"{port}: a listener, nothing to try")
        elif not Path(port).exists():
            yield DoctorFinding(
                "fail", f"bus {bus.id}", f"{port} is not there: plugged in? `yizhan bridge --probe` lists ports"
            )
        elif not os.access(port, os.R_OK | os.W_OK):
            yield DoctorFinding("fail", f"bus {bus.id}", f"{port}: no permission; add this user to the group dialout")
        else:
            yield DoctorFinding("ok", f"bus {bus.id}", f"{port} is there")


def _relayed(bus: Any, spool: Path) -> DoctorFinding:
    """What waits for the operator of piles that are relayed to him."""
    from firmware_bridge.spool_file import SpoolError
    from firmware_bridge.spool_relay import held_in
    from gateway.base.clock import now_ms

    name, host = f"bus {bus.id}", urlsplit(bus.upstream).hostname
    try:
        held = held_in(spool)
    except SpoolError as error:
        return DoctorFinding("fail", name, str(error))
    of_bus = [held[pile] for pile in {device.charge_point for device in bus.devices} & held.keys()]
    count, oldest = sum(many for many, _ in of_bus), min([at for _, at in of_bus], default=now_ms())
    minutes = (now_ms() - oldest) // 60_000
    if minutes < RELAY_BEHIND_MIN:
        return DoctorFinding("ok", name, f"piles are relayed to {host}; {count} messages wait for it")
    text = (
        f"{count} messages of {len(of_bus)} piles wait for {host}, the first for {minutes} min: is it there, and does a"
        " network lead to it? The bridge's log has its last word; nothing of it is lost"
    )
    return DoctorFinding("warn", name, text)
