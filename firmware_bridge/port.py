"""The only file that opens serial ports: exclusive, without resetting the board, and again after unplugging."""

import contextlib
import os
import select
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import serial  # noqa: TID251
from serial.tools import list_ports  # noqa: TID251

READ_BYTES = 4_096
WRITE_TIMEOUT_S = 1.0
RATES = (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 256_000, 460_800)

_PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class PortError(Exception):
    """The port can't be opened, or is gone. The text names it and what to do."""


class PortInfo(Protocol):
    """What pyserial tells of a port."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    description: str


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How a port is spoken to. `port` is a path or usb:VID:PID[:SERIAL] in hex."""

    port: str
    baud: int = 9_600
    bytesize: int = 8
    parity: str = "none"
    stopbits: int = 1


def list_all() -> list[PortInfo]:
    return sorted(list_ports.comports(), key=lambda port: port.device)


def find(name: str, ports: Iterable[PortInfo]) -> str | None:
    """The path of usb:VID:PID[:SERIAL] among `ports`; None when it is not plugged in."""
    vid, pid, *number = name.removeprefix("usb:").split(":", 2)
    for port in ports:
        if port.vid is None or port.pid is None or (number and number[0] != port.serial_number):
            continue
        if (port.vid, port.pid) == (int(vid, 16), int(pid, 16)):
            return port.device
    return None


def usb_name(path: str, ports: Iterable[PortInfo]) -> str | None:
    """The name that finds this port again under another path; None when it is no USB port."""
    real = os.path.realpath(path)
    for port in ports:
        if os.path.realpath(port.device) == real and port.vid is not None and port.pid is not None:
            number = f":{port.serial_number}" if port.serial_number else ""
            return f"usb:{port.vid:04x}:{port.pid:04x}{number}"
    return None


class Port:
    """One serial port, open or waiting to come back. One thread uses it."""

    def __init__(self, line: SerialLine, ports: Callable[[], list[PortInfo]] = list_all) -> None:
        self.line = line
        self._ports = ports
        self._usb: str | None = line.port if line.port.startswith("usb:") else None
        self._serial: Any = None

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    def open(self) -> None:
        """PortError when it can't be, also when another program has it."""
        path = self._path()
        port = serial.Serial()
        port.port, port.baudrate = path, self.line.baud
        port.bytesize, port.parity, port.stopbits = (
            self.line.bytesize, _PARITY[self.line.parity], self.line.stopbits,
        )  # fmt: skip
        port.timeout, port.write_timeout, port.exclusive = 0, WRITE_TIMEOUT_S, True
        port.dtr = port.rts = False  # else many boards start anew each time we open
        try:
            port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            busy = "lock" in str(error).lower()
            hint = "another program uses it: stop that one" if busy else str(error)
            raise PortError(f"{path}: {hint}") from None
        self._serial = port
        if self._usb is None:
            self._usb = usb_name(path, self._ports())

    def _path(self) -> str:
        if not self.line.port.startswith("usb:") and (self._usb is None or os.path.exists(self.line.port)):  # noqa: PTH110
            return self.line.port
        path = find(self._usb or self.line.port, self._ports())
        if path is None:
            raise PortError(f"{self.line.port}: not plugged in")
        return path

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting at most so long for the first byte. PortError when the port is gone."""
        try:
            poller = select.poll()
            poller.register(self._serial.fileno(), select.POLLIN)
            events = poller.poll(max(0.0, timeout_s) * 1000)
            if not events:
                return b""
            data = os.read(self._serial.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        except (serial.SerialException, OSError) as error:
            raise PortError(f"{self.line.port}: lost: {error}") from None
        if not data:
            raise PortError(f"{self.line.port}: lost: it was unplugged")
        return data

    def write(self, data: bytes) -> None:
        """PortError when the port is gone or does not take it for a second."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise PortError(f"{self.line.port}: lost: {error}") from None

    def close(self) -> None:
        port, self._serial = self._serial, None
        if port is not None:
            with contextlib.suppress(OSError, serial.SerialException):
                port.close()


def hint(line: SerialLine, junk: int) -> str:
    """What to say when bytes come but no frame: the usual cause is the speed."""
    near = sorted(RATES, key=lambda rate: max(rate, line.baud) / min(rate, line.baud))
    tries = "/".join(str(rate) for rate in near[:6] if rate != line.baud)
    return f"{line.port}: {junk} bytes and no valid frame at {line.baud} baud; try {tries}"
