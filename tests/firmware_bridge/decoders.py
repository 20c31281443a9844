"""One function for each vector folder: text of a vector → what our codec makes of it as JSON; None when it refuses."""

from dataclasses import asdict
from typing import Any

from firmware_bridge.cards import CardNumber
from firmware_bridge.devices import ap3000, dlt645, ebike_board, ld2410, ld2450, modbus, osdp_frames, sdt, ykc_frames
from firmware_bridge.devices.readers import CardLines, wiegand
from firmware_bridge.frames import cobs, line, packet

KEY = b"k" * 32


def card_value(card: CardNumber) -> str:
    """A card's pseudonym under the test key: the only thing that can be compared."""
    return card.keyed(KEY, "vector")


def only(frames: list[Any]) -> Any:
    return frames[0] if len(frames) == 1 else None


def _ld2410(text: str) -> Any:
    frame = only(ld2410.scanner().feed(bytes.fromhex(text)))
    if frame is None:
        return None
    if (report := ld2410.parse_report(frame)) is not None:
        return asdict(report)
    firmware = ld2410.parse_firmware(frame)
    return {"command": frame[6:8].hex(), "data": frame[8:-4].hex(), "firmware": firmware}


def _ld2450(text: str) -> Any:
    frame = only(ld2450.scanner().feed(bytes.fromhex(text)))
    return None if frame is None else [asdict(target) for target in ld2450.parse(frame) or ()]


def _osdp(text: str) -> Any:
    frame = only(osdp_frames.scanner().feed(bytes.fromhex(text)))
    if frame is None:
        return None
    size = 2 if frame[4] & 4 else 1
    return {
        "address": frame[1] & 0x7F, "reply": osdp_frames.is_reply(frame), "sequence": frame[4] & 3,
        "code": f"{frame[5]:02x}", "data": frame[6:-size].hex(),
    }  # fmt: skip


def _wiegand(text: str) -> Any:
    parts = wiegand(text)
    return None if parts is None else {"facility": parts[0], "card": card_value(parts[1])}


def _serialcard(text: str) -> Any:
    card = only(CardLines().feed(bytes.fromhex(text)))
    return None if card is None else {"card": card_value(card)}


def _sdt(text: str) -> Any:
    frame = only(sdt.scanner().feed(bytes.fromhex(text)))
    if frame is None:
        return None
    return {"status": f"{sdt.status(frame):02x}"} if sdt.is_reply(frame) else {"asked": frame[7:9].hex()}


def _ykc(text: str) -> Any:
    raw = only(ykc_frames.scanner().feed(bytes.fromhex(text)))
    if raw is None:
        return None
    frame = ykc_frames.parse(raw)
    told: dict[str, Any] = {"kind": f"{frame.kind:02x}", "high_first": frame.high_first}
    match frame.kind:
        case ykc_frames.LOGIN:
            said: Any = ykc_frames.login(frame.body)
        case ykc_frames.REALTIME:
            said = ykc_frames.realtime(frame.body)
        case ykc_frames.RECORD:
            said = ykc_frames.record(frame.body)
        case ykc_frames.STARTED | ykc_frames.STOPPED:
            said = ykc_frames.result(frame.body, frame.kind)
        case ykc_frames.HEARTBEAT:
            return told | {"said": ykc_frames.heartbeat(frame.body)}
        case ykc_frames.SET_TIME:
            return told | {"at": ykc_frames.time_in(frame.body[7:14])}
        case _:
            return told | {"pile": ykc_frames.pile_in(frame)}
    return told | {"said": asdict(said)}


def _modbus(text: str) -> Any:
    frame = bytes.fromhex(text)
    if not modbus.whole(frame):
        return None
    return {"unit": frame[0], "function": frame[1], "data": frame[2:-2].hex()}


def _dlt645(text: str) -> Any:
    raw = only(dlt645.scanner().feed(bytes.fromhex(text)))
    if raw is None:
        return None
    parsed = dlt645.parse(raw)
    identifier = int.from_bytes(parsed.data[:4], "little")
    known = identifier in (dlt645.ENERGY_KWH, dlt645.VOLTS_A, dlt645.AMPS_A, dlt645.POWER_KW)
    value = dlt645.value(parsed, identifier) if known else None
    return {"address": parsed.address, "control": f"{parsed.control:02x}", "data": parsed.data.hex(), "value": value}


def _linecrc(text: str) -> Any:
    frame = only(line.LineReader().feed(text.encode() + b"\n"))
    return frame[0] if frame else None


def _cobsframe(text: str) -> Any:
    parsed = only(packet.PacketReader().feed(bytes.fromhex(text)))
    return (
        None if parsed is None else {"type": f"{parsed.type:02x}", "seq": parsed.seq, "payload": parsed.payload.hex()}
    )


def _cobsraw(text: str) -> Any:
    decoded = cobs.decode(bytes.fromhex(text))
    return None if decoded is None else decoded.hex(" ").upper()


def _ap3000(text: str) -> Any:
    raw = only(ap3000.scanner().feed(bytes.fromhex(text)))
    if raw is None:
        return None
    frame = ap3000.parse(raw)
    return {
        "kind": frame.kind, "number": frame.number, "message": frame.message_id, "command": f"{frame.command:02x}",
        "ports": [asdict(port) for port in ap3000.ports(frame)],
    }  # fmt: skip


def _dongjun(text: str) -> Any:
    frame = only(ebike_board.scanner().feed(bytes.fromhex(text)))
    if frame is None:
        return None
    states = ebike_board.states(frame)
    return {"session": frame[3:9].decode(), "states": None if states is None else list(states)}


def crc16_mcrf4xx(data: bytes) -> int:
    """Klipper's: poly 1021 reflected, init FFFF. 6F91."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def _klipper(text: str) -> Any:
    frame = bytes.fromhex(text)
    sound = frame[0] == len(frame) and frame[-1] == 0x7E
    if not sound or crc16_mcrf4xx(frame[:-3]) != int.from_bytes(frame[-3:-1], "big"):
        return None
    return {"sequence": frame[1] & 15, "content": frame[2:-3].hex()}


def _mysensors(text: str) -> Any:
    parts = text.split(";", 5)
    return parts if len(parts) == 6 and all(part.isdigit() for part in parts[:5]) else None


DECODE = {
    "ld2410": _ld2410,
    "ld2450": _ld2450,
    "osdp": _osdp,
    "wiegand": _wiegand,
    "serialcard": _serialcard,
    "sdt": _sdt,
    "modbus": _modbus,
    "dlt645": _dlt645,
    "linecrc": _linecrc,
    "cobsframe": _cobsframe,
    "cobsraw": _cobsraw,
    "klipper": _klipper,
    "mysensors": _mysensors,
    "ap3000": _ap3000,
    "ykc": _ykc,
    "dongjun": _dongjun,
}
