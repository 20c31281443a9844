"""What a gateway tells of itself: for /readyz, for /metrics, and on `yz-sys/{gateway}`."""

from typing import TYPE_CHECKING, Any

import msgspec

from gateway.base.clock import now_ms
from gateway.core.remarks import most
from gateway.live.places import utc
from gateway.runtime.status import Metrics, Status

if TYPE_CHECKING:
    from gateway.runtime.gateway import Gateway

MOST_TOLD = 3  # messages too large for the broker, by name


class SelfReport:
    """Any thread may ask, but for `told`, which is intake's."""

    def __init__(self, gateway: "Gateway", version: str) -> None:
        self._gateway, self._version = gateway, version

    def status(self) -> Status:
        gateway, session = self._gateway, self._gateway.session
        copy = gateway.ship.trouble if gateway.ship is not None else None
        store = gateway.writer.trouble or gateway.writer.upkeep_trouble
        centre = gateway.centre.trouble
        replica = gateway.replica.troubles if gateway.replica else ()
        troubles = [text for text in (session.trouble, store, copy, centre, *replica, gateway.dead) if text]
        if session.takeover_suspected:
            troubles.append(f"another gateway seems to use the client id {session.client_id}")
        troubles += session.oversized.troubles()[:MOST_TOLD]
        return Status(
            session.connected, session.subscribed, store is None, tuple(troubles),
            gateway.started_at, broker=session.address,
        )  # fmt: skip

    def left_out(self) -> dict[str, int]:
        """What is left out of what is told us or tell, as `station/what`, and how often."""
        gateway = self._gateway
        words = dict(gateway.pipeline.live.counters.words.copy())
        told = gateway.pipeline.foreign.remarks.all() | words | gateway.calendars.left_out_of()
        for station, size in gateway.session.oversized.left_out_of("yz-live/").items():
            told[f"{station}/document of {size} bytes, more than the broker takes"] = 1
        return told

    def metrics(self) -> Metrics:
        gateway = self._gateway
        intake, pipeline, session = gateway.intake, gateway.pipeline, gateway.session
        counters, times = pipeline.counters, intake.committing.times
        return Metrics(
            received=counters["received"] + gateway.flood.dropped,
            flooding=gateway.flood.dropped,
            devices_limited=gateway.flood.limited,
            stored=intake.stored,
            duplicate=counters["duplicate"],
            late=counters["late"],
            ignored_fields=counters["ignored_fields"],
            unknown_status=counters["unknown_status"],
            bad_fields=pipeline.foreign.remarks.bad_fields,
            mishaps=gateway.mishaps.count,
            unsendable=session.unsendable,
            oversized=session.oversized.count,
            quarantined=dict(pipeline.quarantined),
            backlog=intake.backlog,
            commits=times.cumulative(),
            commit_seconds=times.total_s,
            connected=session.connected,
            broker_node=session.node,
            reconnects=session.reconnects,
            session_gaps=session.gaps,
            documents=intake.documents.count,
            store_failures=dict(gateway.writer.failures),
            alerts_open=len(gateway.alerting.core.desk.open_alerts()),
            calendar_events_left_out=gateway.calendars.left_out(),
            copy=gateway.ship.metrics() if gateway.ship is not None else None,
            uplink=gateway.centre.metrics(),
            replica=gateway.replica.metrics() if gateway.replica is not None else None,
            boxes=list(pipeline.live.box_lines.lines.values()),
        )

    def told(self, state: str) -> tuple[str, bytes]:
        """What we retain about ourselves, topic and payload; with state `offline` it is our last will."""
        gateway = self._gateway
        body: dict[str, Any] = {
            "gateway": gateway.id, "version": self._version, "state": state, "since": utc(gateway.started_at),
        }  # fmt: skip
        if state == "online":
            counters, pipeline = gateway.pipeline.counters, gateway.pipeline
            pipeline.name_words()
            body["at"] = utc(now_ms())
            body["counters"] = {
                "received": counters["received"] + gateway.flood.dropped, "stored": gateway.intake.stored,
                "duplicate": counters["duplicate"], "quarantined": pipeline.quarantined.total(),
            }  # fmt: skip
            body["left_out"] = most(self.left_out())
        return f"yz-sys/{gateway.id}", msgspec.json.encode(body)
