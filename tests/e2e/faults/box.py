"""A station box made of real processes: a broker, `yizhan gateway`, and devices that send again what is not covered."""

import json
import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.mqtt import Broker, Session
from tests import product

ROOT = Path(__file__).parents[3]


class Box:
    """One gateway process with its configuration and data in `folder`."""

    def __init__(
        self, folder: Path, mqtt_url: str, seats: int, *, gateway: dict[str, Any] | None = None, **store: Any
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "yizhan.yaml"
        seats_of = [{"id": f"seat-{n}", "kind": "seat"} for n in range(seats)]
        self.config.write_text(
            json.dumps(
                {
                    "mqtt": {"url": mqtt_url, "keepalive_s": 4},
                    "store": {"path": str(self.data), "ballast_mib": 1, **store},
                    "gateway": {
                        "metrics_listen": "127.0.0.1:0",
                        "ack_interval_s": 1,
                        "snapshot_interval_s": 1,
                        **(gateway or {}),
                    },
                    "stations": [
                        {"id": "yanshan", "name": {"zh": "雁山"}, "areas": [{"id": "lounge", "resources": seats_of}]}
                    ],
                }
            )
        )
        self.log = folder / "gateway.log"
        self.process: product.Process | None = None
        self.module = "api.cli"
        self.words: tuple[str, ...] = ()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = product.start(
                *self.words, "gateway", "--config", str(self.config), module=self.module, stderr=log
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, timeout_s: float = 60.0) -> int:
        """SIGTERM; the exit status. TimeoutExpired when it takes longer."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(timeout_s)
        self.process = None
        return status

    def log_text(self) -> str:
        return self.log.read_text()

    def exported(self) -> list[dict[str, Any]]:
        out = product.run("export", "--config", str(self.config))
        out.check_returncode()
        return [json.loads(line) for line in out.stdout.splitlines()]

    def readings(self) -> list[tuple[str, str, int]]:
        """Who each stored reading is."""
        return [(row["device"], row["boot"], row["seq"]) for row in self.exported()]


class Devices:
    """Publish (boot, seq), keep what the watermark does not cover, and send it again when it may have been lost."""

    def __init__(self, broker: Broker, count: int, seed: int = 0) -> None:
        self.session = Session(broker, f"devices-{seed}", filters=["yz-ack/+/+"], keep=False)
        self.session.on_connect = lambda _present: self.send_again()
        self._random = random.Random(seed)
        self._boots = {f"seat-{n}": f"boot-{seed}" for n in range(count)}
        self._seq = dict.fromkeys(self._boots, 0)
        self._held: dict[str, dict[int, bytes]] = {device: {} for device in self._boots}
        self.sent: set[tuple[str, str, int]] = set()

    @property
    def waiting(self) -> int:
        return sum(len(held) for held in self._held.values())

    def tell(self, device: str, **more: Any) -> None:
        self._seq[device] += 1
        seq, boot = self._seq[device], self._boots[device]
        held = self._held[device]
        header = {"ts": time.time_ns() // 1_000_000, "boot": boot, "seq": seq, "oldest": min(held, default=seq)}
        held[seq] = json.dumps({**header, "occupied": self._random.random() < 0.5, **more}).encode()
        self.sent.add((device, boot, seq))
        self.session.publish(f"yz/yanshan/{device}/state", held[seq])

    def publish(self, count: int, rate: float) -> Iterable[int]:
        """`count` messages at `rate` a second; yields their number after each moment of listening."""
        begin, names = time.monotonic(), list(self._boots)
        for number in range(count):
            self.tell(self._random.choice(names))
            while time.monotonic() < begin + number / rate:
                self.listen(0.005)
            yield number

    def send_again(self) -> None:
        for device, held in self._held.items():
            for payload in held.values():
                self.session.publish(f"yz/yanshan/{device}/state", payload)

    def listen(self, seconds: float) -> None:
        arrivals = self.session.poll(seconds)
        for topic, payload, _ in arrivals.frames if arrivals else ():
            mark, device = json.loads(payload), topic.decode().rsplit("/", 1)[1]
            if mark["boot"] == self._boots[device]:
                self._held[device] = {seq: body for seq, body in self._held[device].items() if seq > mark["upto"]}
        if arrivals:
            self.session.ack(arrivals.epoch, arrivals.mids)

    def settle(self, stall_s: float, again_s: float = 2.0) -> None:
        """Until every message is covered by a watermark, however long the machine takes for the whole.

        When nothing more was covered for `again_s`, what is left is sent again; for `stall_s`: AssertionError.
        """
        least, moment = self.waiting, time.monotonic()
        again_at = moment + again_s
        while self.waiting:
            self.listen(0.05)
            now = time.monotonic()
            if self.waiting < least:
                least, moment, again_at = self.waiting, now, now + again_s
            assert now < moment + stall_s, f"{self.waiting} messages are not covered, and none more for {stall_s} s"
            if now > again_at:
                self.send_again()
                again_at = now + again_s

    def close(self) -> None:
        self.session.close()
