"""Whether NATS has a message on its disk before it acknowledges it: by default it may be two minutes behind."""

import http.client
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from config.schema.base import HostPort

MONITOR_PORT, PATIENCE_S, ANSWER_BYTES = 8222, 1.0, 1 << 20


def disks(nodes: Iterable["HostPort"]) -> Iterator[DoctorFinding]:
    """Nothing of nodes that are no NATS, or whose monitor is not open to us."""
    for node in nodes:
        synced = synced_by(node.host)
        if synced:
            text = f"{node} (NATS) has each message on its disk before it acknowledges it"
            yield DoctorFinding("ok", "broker", text)
        elif synced is not None:
            text = (
                f"{node} (NATS) acknowledges messages up to two minutes before they are on its disk: a power cut takes "
                "them, but from devices that wait for their watermark; set sync_interval: always under jetstream there"
            )
            yield DoctorFinding("warn", "broker", text)


def synced_by(host: str) -> bool | None:
    """What NATS on this host says on its monitor; None where none answers there."""
    connection = http.client.HTTPConnection(host, MONITOR_PORT, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/varz")
        said = json.loads(connection.getresponse().read(ANSWER_BYTES))
        if "server_id" not in said:
            return None
        return bool(said["jetstream"]["config"].get("sync_always", False))
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    finally:
        connection.close()
