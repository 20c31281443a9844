"""The check values of the field. Check values for ASCII 123456789 stand beside each; tests hold them to it."""

from collections.abc import Iterable


def _table(poly: int) -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (poly if byte & 1 else 0)
        rows.append(byte)
    return tuple(rows)


_MODBUS = _table(0xA001)


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS: poly 8005 reflected, init FFFF. 4B37."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _MODBUS[(crc ^ byte) & 0xFF]
    return crc


def crc16_aug_ccitt(data: bytes) -> int:
    """CRC-16/SPI-FUJITSU (AUG-CCITT), OSDP's: poly 1021, init 1D0F. E5CC."""
    crc = 0x1D0F
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def xor(data: Iterable[int]) -> int:
    check = 0
    for byte in data:
        check ^= byte
    return check
