"""Stations × seats for a run: their configuration, and the packets that their devices publish."""

from collections.abc import Iterator
from pathlib import Path

from gateway.model import Millis

PAYLOAD_BYTES = 110
FIRST_SEQ = 100_000


def names(stations: int, seats: int) -> Iterator[tuple[str, str]]:
    """(station, device), one device after another of one station."""
    for station in range(stations):
        for seat in range(seats):
            yield f"s{station:05d}", f"seat-{seat:02d}"


def write_config(
    path: Path, stations: int, seats: int, url: str, *, protocol: str = "auto", replica: str | None = None
) -> None:
    """A configuration in block style, as people write it."""
    more = ""
    if replica is not None:
        (path.parent / "replica").write_text(replica)
        more = ", replica: {url_file: replica}"
    lines = [
        f"mqtt: {{url: '{url}', protocol: '{protocol}', client_id: subject}}",
        f"store: {{path: {path.parent / 'data'}, ballast_mib: 0{more}}}",
        "gateway: {metrics_listen: '127.0.0.1:0'}",
        "stations:",
    ]
    for station in range(stations):
        lines += [
            f"  - id: s{station:05d}",
            f"    name: {{zh: 第{station}驿站, en: Station {station}}}",
            "    region: [广东, 深圳, 南山]",
            f"    location: {{lat: {22.5 + station % 100 / 1000:.3f}, lon: {113.9 + station // 100 / 1000:.3f}}}",
            "    areas:",
            "      - id: lounge",
            "        name: {zh: 休息区, en: Lounge}",
            "        resources:",
        ]
        lines += [f"          - {{id: seat-{seat:02d}, kind: seat}}" for seat in range(seats)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def payload(seq: int, occupied: bool, ts: Millis) -> bytes:
    """One state message of a seat, PAYLOAD_BYTES long."""
    text = (
        f'{{"ts":{ts},"boot":"b7f3a91c","seq":{seq},"occupied":{"true" if occupied else "false"},'
        f'"battery_pct":87,"rssi_dbm":-61,"firmware":"1.4.2'
    )
    return (text + "-" * (PAYLOAD_BYTES - 2 - len(text)) + '"}').encode()


def packets(devices: list[tuple[str, str]], count: int, flip_every: int, ts: Millis) -> Iterator[bytes]:
    """`count` PUBLISH packets, QoS 1, MQTT 3.1.1: all devices in turn, each value repeated `flip_every` times."""
    for number in range(count):
        turn, at = divmod(number, len(devices))
        station, device = devices[at]
        topic = f"yz/{station}/{device}/state".encode()
        value = bool((turn + at) // flip_every % 2)
        body = len(topic).to_bytes(2, "big") + topic + (number % 65_535 + 1).to_bytes(2, "big")
        body += payload(FIRST_SEQ + turn, value, ts)
        yield bytes((0x32, len(body) & 0x7F | 0x80, len(body) >> 7)) + body
