"""What a tick costs with 100,000 resources: `python -m tests.gateway.properties.ticks` prints the percentiles."""

import gc
from random import Random
from time import perf_counter

from gateway.core.pipeline import Pipeline
from gateway.core.plan import decoder
from gateway.evidence.facts import Facts
from gateway.kinds import KINDS
from gateway.live import Area, Device, Live, Station, document
from gateway.model import Millis, Resource

START = 1_780_279_200_000
TURN_MS = 20
DEADLINES_A_TURN = 500  # as the intake thread does


def town(stations: int, seats: int) -> Live:
    live, decode = Live(), decoder(["seat"])
    for number in range(stations):
        area = Area("hall", {})
        for seat in range(seats):
            resource = Resource(f"s{number}", "hall", f"seat-{seat}", "seat", f"seat-{seat}")
            area.facts.append(Facts(resource, KINDS["seat"]))
        station = Station(f"s{number}", {}, areas=[area])
        live.add_station(station, START)
        for facts in area.facts:
            device = Device(station.id, facts.resource.device, [facts], decode)
            live.devices[station.id, facts.resource.device] = device
    return live


def measure(stations: int, seats: int, seconds: int) -> tuple[list[float], list[float], int]:
    """(ms of each tick, ms of making a dirty station's document, changes). Every seat speaks each minute, 2 % of the
    messages flip it, 1 % of the seats fall silent."""
    live, rng = town(stations, seats), Random(1)
    pipeline, now = Pipeline(live), START
    devices = [device for device in live.devices.values() if rng.random() > 0.01]
    due = [(START + rng.randrange(60_000), at, 0, False) for at in range(len(devices))]
    wheel: dict[Millis, list[int]] = {}
    for at, number, _, _ in due:
        wheel.setdefault(at // TURN_MS, []).append(number)
    seqs, taken = [0] * len(devices), [False] * len(devices)
    ticks, documents, changes = [], [], 0
    gc.collect()
    gc.freeze()
    for turn in range(START // TURN_MS, (START + seconds * 1000) // TURN_MS):
        now = turn * TURN_MS
        frames = [_message(devices[number], number, seqs, taken, rng) for number in wheel.pop(turn, ())]
        for number in [int(frame[2]) for frame in frames]:
            wheel.setdefault(turn + 60_000 // TURN_MS, []).append(number)
        pipeline.handle_all([(topic, payload, 0) for topic, payload, _ in frames], now)
        begin = perf_counter()
        live.tick(now, DEADLINES_A_TURN)
        ticks.append((perf_counter() - begin) * 1000)
        changes += len(pipeline.take().changes)
        while live.dirty:
            station = live.dirty.pop()
            begin = perf_counter()
            document(station, now)
            documents.append((perf_counter() - begin) * 1000)
            live.made(station, now)
    return ticks, documents, changes


def _message(device: Device, number: int, seqs: list[int], taken: list[bool], rng: Random) -> tuple[bytes, bytes, int]:
    seqs[number] += 1
    if rng.random() < 0.02:
        taken[number] = not taken[number]
    said = b"true" if taken[number] else b"false"
    payload = b'{"boot":"b","seq":%d,"occupied":%s}' % (seqs[number], said)
    return f"yz/{device.station}/{device.id}/state".encode(), payload, number


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


if __name__ == "__main__":
    ticks, documents, changes = measure(12_500, 8, 240)
    for name, values in (("tick", ticks), ("document", documents)):
        p50, p99, top = (percentile(values, share) for share in (0.5, 0.99, 1.0))
        print(f"{name:9} {len(values):7} times  p50 {p50:.3f} ms  p99 {p99:.3f} ms  max {top:.3f} ms")
    print(f"{changes} changes, 100,000 resources, 240 s in turns of {TURN_MS} ms")
