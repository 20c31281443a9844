"""The end of a gateway has a deadline, whatever hangs."""

import threading
import time

import pytest

from config.schema import Settings
from gateway.mqtt import Broker, Session
from gateway.runtime import Gateway
from tests.patience import promptly, until

pytestmark = pytest.mark.broker


def test_a_disk_that_hangs_holds_up_the_end_no_longer_than_promised(tmp_path, mosquitto_of, monkeypatch):
    monkeypatch.setattr("gateway.runtime.gateway.STOP_S", 1.0)
    port = mosquitto_of().port
    gateway = Gateway(
        Settings.model_validate(
            {
                "mqtt": {"url": f"mqtt://127.0.0.1:{port}"},
                "store": {"path": str(tmp_path / "data"), "ballast_mib": 0},
                "stations": [
                    {"id": "yanshan", "name": {"zh": "雁山"}, "areas": [{"id": "a", "resources": [SEAT]}]},
                ],
            }
        )
    )
    disk, commit = threading.Event(), gateway.store.commit
    monkeypatch.setattr(gateway.store, "commit", lambda *work: disk.wait(600) and commit(*work))
    gateway.start()
    device = Session(Broker("127.0.0.1", port), "seat", keep=False)
    try:
        until(lambda: device.poll(0.01) or (device.connected and gateway.session.subscribed))
        device.publish("yz/yanshan/seat-01/state", b'{"boot": "b", "seq": 1, "occupied": true}')
        until(lambda: device.poll(0.01) or gateway.intake.backlog)
        begin = time.monotonic()
        assert gateway.stop() is False
        assert promptly(begin, 1 + 0.8)
    finally:
        device.close()
        disk.set()
        gateway.intake.join(60)
        until(gateway.stop)


SEAT = {"id": "seat-01", "kind": "seat"}
