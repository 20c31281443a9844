"""The part of the demo's car park that others know of: a point of each of two operators, and a pile that speaks YKC."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.files import read_secret
from config.schema.bridge import Bridge, BusSettings
from firmware_bridge.emulator.operators.world import OperatedPlugs
from gateway.base.clock import now_ms

if TYPE_CHECKING:
    from firmware_bridge.emulator.operators.ocpi import VirtualOcpiOperator
    from firmware_bridge.emulator.operators.tcec import VirtualTcecOperator

OCPI_POINT, TCEC_POINT, YKC_PILE = "CN*OPR*E0001", "4403010001", "32010600019236"
POINTS = (
    ("op-01", "运营商甲的枪", "Operator A's connector"),
    ("op-02", "运营商乙的枪", "Operator B's connector"),
    ("op-03", "云快充枪", "YKC connector"),
)
TICK_S = 1.0


def operated_buses(folder: Path) -> list[dict[str, Any]]:
    """Their buses, on ports of loopback that are free now. The secrets are made in `folder`, once."""
    folder.mkdir(0o700, parents=True, exist_ok=True)
    files = {}
    for name in ("token_file", "operator_secret_file", "data_secret_file", "data_secret_iv_file", "sig_secret_file"):
        files[name] = folder / name.removesuffix("_file")
        if not files[name].exists():
            files[name].touch(0o600)
            files[name].write_text(secrets.token_hex(8))
    token = {"token_file": files.pop("token_file")}
    ports = free_ports(5)
    return [
        token
        | {
            "id": "operator-a", "protocol": "ocpi", "port": f"http://127.0.0.1:{ports[0]}/ocpi/versions",
            "country_code": "CN", "party_id": "YZN", "listen": f"http://127.0.0.1:{ports[1]}/ocpi", "poll_s": 20,
            "devices": [{"device": POINTS[0][0], "evse": OCPI_POINT}],
        },
        files
        | {
            "id": "operator-b", "protocol": "tcec", "port": f"http://127.0.0.1:{ports[2]}/evcs/v1",
            "operator_id": "395815801", "listen": f"http://127.0.0.1:{ports[3]}/evcs/v1", "poll_s": 20,
            "devices": [{"device": POINTS[1][0], "connector": TCEC_POINT}],
        },
        {
            "id": "ykc", "protocol": "ykc", "port": f"tcp://127.0.0.1:{ports[4]}",
            "devices": [{"device": POINTS[2][0], "address": YKC_PILE, "connector": 1}],
        },
    ]  # fmt: skip


def open_operated(bridge: Bridge, stop: threading.Event, speed: float, seed: int) -> list[threading.Thread]:
    """The operators and the pile on threads of their own, until `stop`; join them afterwards."""
    opened = {"ocpi": _ocpi, "tcec": _tcec, "ykc": _ykc}
    return [opened[bus.protocol](bus, stop, speed, seed) for bus in bridge.buses if bus.protocol in opened]


def _port(address: str) -> int:
    return int(address.split(":")[2].partition("/")[0])


def _ocpi(bus: BusSettings, stop: threading.Event, speed: float, seed: int) -> threading.Thread:
    from firmware_bridge.emulator.operators.ocpi import VirtualOcpiOperator

    assert bus.token_file is not None
    plugs = OperatedPlugs([OCPI_POINT], now_ms(), seed=seed, speed=speed)
    operator = VirtualOcpiOperator(plugs, now_ms, read_secret(bus.token_file), port=_port(bus.port))

    def tell(name: str) -> None:
        if operator.receiver is not None:
            operator.push(name)

    return _running(operator, plugs, tell, stop)


def _tcec(bus: BusSettings, stop: threading.Event, speed: float, seed: int) -> threading.Thread:
    from firmware_bridge.emulator.operators.tcec import VirtualTcecOperator
    from firmware_bridge.operators.tcec.configured import party_of

    plugs = OperatedPlugs([TCEC_POINT], now_ms(), seed=seed + 1, speed=speed)
    operator = VirtualTcecOperator(plugs, now_ms, party_of(bus), port=_port(bus.port))

    def tell(name: str) -> None:
        operator.push(str(bus.listen), {"ConnectorStatusInfo": operator.connector(name)})

    return _running(operator, plugs, tell, stop)


def _ykc(bus: BusSettings, stop: threading.Event, speed: float, seed: int) -> threading.Thread:
    from firmware_bridge.emulator.ykc import VirtualYkcPile, YkcPileThread

    pile = VirtualYkcPile(YKC_PILE, 1, seed=seed, speed=speed)
    thread = YkcPileThread(pile, ("127.0.0.1", _port(bus.port)), stop)
    thread.start()
    return thread


def _running(
    operator: "VirtualOcpiOperator | VirtualTcecOperator",
    plugs: OperatedPlugs,
    tell: Callable[[str], None],
    stop: threading.Event,
) -> threading.Thread:
    """He tells each change; who is not there yet asks him later."""

    def run() -> None:
        while not stop.wait(TICK_S):
            for name in plugs.advance(now_ms()):
                with contextlib.suppress(OSError, HTTPException, ValueError):
                    tell(name)
        operator.end()

    operator.start()
    thread = threading.Thread(target=run, name="operator", daemon=True)
    thread.start()
    return thread


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
