"""Smoke is told while every station storms: from the detector's message to the provider, each on its own.

python -m tests.e2e.hazard_storm [--stations 50]     measures how long each took; docs/alerts.md has the figures
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.rig import Yizhan, free_port, get, mosquitto
from tests.gateway.notify.stub import Answer, Provider
from tests.patience import until

PILES = 8
EVERY_S = 0.4


def described(http: int, mqtt: int, url: str, stations: int) -> str:
    piles = ", ".join(f"{{id: pile-{number}, kind: charger, type: ebike}}" for number in range(PILES))
    things = f"{piles}, {{id: door, kind: door}}, {{id: smoke, kind: hazard, type: smoke}}"
    places = "".join(
        f"  - {{id: s{number}, areas: [{{id: yard, resources: [{things}]}}]}}\n" for number in range(stations)
    )
    return (
        f'mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}\nstore: {{path: data, ballast_mib: 0}}\n'
        f'api: {{listen: "127.0.0.1:{http}"}}\n'
        f"alerts:\n  raise_delay_s: 0\n  clear_delay_s: 0\n  channels:\n"
        f'    - {{id: hook, kind: webhook, url: "{url}", allow_private: true, cap_per_hour: 20}}\n'
        f"stations:\n{places}"
    )


class Storm(threading.Thread):
    """Each second every pile breaks or mends and every door is forced."""

    def __init__(self, client: Client, stations: int) -> None:
        super().__init__(daemon=True, name="storm")
        self._client, self._stations = client, stations
        self.over = threading.Event()

    def run(self) -> None:
        for turn in count(1):
            for number in range(self._stations):
                if self.over.wait(1 / self._stations):
                    return
                for pile in range(PILES):
                    status = "Faulted" if turn % 2 else "Available"
                    body = json.dumps({"boot": "b", "seq": turn, "status": status})
                    self._client.publish(f"yz/s{number}/pile-{pile}/state", body, 1)
                self._client.publish(f"yz/s{number}/door/event", json.dumps({"type": "door_forced"}), 1)


@contextmanager
def stormed(folder: Path, stations: int) -> Iterator[tuple[Client, Provider, dict[str, float]]]:
    """(a client, the provider, when it was told of smoke by station) while all of them storm."""
    told: dict[str, float] = {}
    provider = Provider()
    play = provider.play

    def note(handler: Any, answer: Answer) -> None:
        said = provider.requests[-1].json
        if said["title"].endswith("烟雾报警"):
            told.setdefault(said["alerts"][0]["station"], time.monotonic())
        play(handler, answer)

    provider.play = note  # type: ignore[method-assign]
    with provider.running(), mosquitto(folder) as mqtt:
        http = free_port()
        (folder / "yizhan.yaml").write_text(described(http, mqtt, provider.url, stations))
        with Yizhan(folder, "up", "--config", "yizhan.yaml"):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            client = Client(CallbackAPIVersion.VERSION2)
            client.connect("127.0.0.1", mqtt)
            client.loop_start()
            storm = Storm(client, stations)
            storm.start()
            until(lambda: len(provider.requests) >= 5)
            try:
                yield client, provider, told
            finally:
                storm.over.set()
                storm.join(30)
                client.disconnect()
                client.loop_stop()


def smoke_everywhere(client: Client, told: dict[str, float], stations: int) -> dict[str, float]:
    """A detector after the other warns; how many seconds each took."""
    said: dict[str, float] = {}
    for number in range(stations):
        said[f"s{number}"] = time.monotonic()
        client.publish(f"yz/s{number}/smoke/state", '{"boot": "b", "seq": 1, "alarm": true}', 1).wait_for_publish(60)
        time.sleep(EVERY_S)
    until(lambda: len(told) == stations)
    return {station: told[station] - at for station, at in said.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stations", type=int, default=50)
    stations = parser.parse_args().stations
    with tempfile.TemporaryDirectory() as folder, stormed(Path(folder), stations) as (client, provider, told):
        took = sorted(smoke_everywhere(client, told, stations).values())
        others = len(provider.requests) - len(told)
    at = {share: took[min(len(took) - 1, int(len(took) * share))] for share in (0.5, 0.99)}
    figures = f"median {at[0.5]:.2f} s, p99 {at[0.99]:.2f} s, longest {took[-1]:.2f} s"
    print(f"{stations} stations: {figures}; {others} other messages")


if __name__ == "__main__":
    main()
