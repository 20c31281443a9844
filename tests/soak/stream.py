"""Devices that publish at a rate until they are killed: every one of them in turn, its numbers without a hole.

python -m tests.soak.stream PORT STATIONS SEATS RATE
"""

import sys
from time import monotonic, sleep, time_ns

from tests.benchmarks.places import FIRST_SEQ, names, payload
from tests.benchmarks.publisher import Connection, publish

LATE_S = 30.0


def main() -> None:
    port, stations, seats, rate = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    devices = [f"yz/{station}/{device}/state".encode() for station, device in names(stations, seats)]
    connection, seq, mid = Connection(port, 0), FIRST_SEQ, 0
    print("ready", flush=True)
    due = monotonic()
    while True:
        built = []
        for at, topic in enumerate(devices):
            mid = mid % 65_535 + 1
            body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big")
            body += payload(seq, bool((seq + at) // 20 % 2), time_ns() // 1_000_000)
            built.append(bytes((0x32, len(body) & 0x7F | 0x80, len(body) >> 7)) + body)
        seq += 1
        connection.load(built)
        publish([connection], 0)
        due = max(due + len(devices) / rate, monotonic() - LATE_S)  # what a busy machine delayed is made good
        sleep(max(0.0, due - monotonic()))


if __name__ == "__main__":
    main()
