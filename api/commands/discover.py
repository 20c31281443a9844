"""`yizhan discover`: listens to everything on the broker, and prints the devices it hears with ready config lines."""

import argparse
import logging
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

SECONDS = 60.0
CONNECT_S = 15.0


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("discover", help="listen, and print the devices heard with ready config lines")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--seconds", type=_seconds, default=SECONDS, metavar="N", help="how long to listen (60)")
    parser.add_argument("--json", action="store_true", help="for a program: one list")
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} s is no time to listen: write up to 86400")
    return seconds


def run(args: argparse.Namespace) -> int:
    import msgspec

    from api.signals import stop_event
    from config.load import load
    from gateway.dialects.discover import as_json

    settings = load(args.config)
    findings = listen(settings, args.seconds, stop_event().is_set)
    if args.json:
        sys.stdout.write(msgspec.json.encode(as_json(findings)).decode() + "\n")
        return 0
    taken = configured_topics(settings)
    for finding in findings:
        sys.stdout.write(_shown(finding, finding.topic in taken))
    sys.stdout.write(f"{len(findings)} devices in {args.seconds:g} s\n")
    return 0


def configured_topics(settings: Any) -> set[str]:
    """The topics that feed a resource already."""
    taken = {item.source.topic for _, _, item in settings.resources() if item.source is not None}
    return taken | {f"yz/{station.id}/{item.device_id}/state" for station, _, item in settings.resources()}


def configured_ids(settings: Any) -> set[str]:
    """The ids that resources have already, in whatever station."""
    return {item.id for _, _, item in settings.resources()}


def listen(
    settings: Any, seconds: float, stopped: Callable[[], bool] = lambda: False, connect_s: float | None = None
) -> list[Any]:
    """Findings after so many seconds on the configured broker, or when `stopped()`. Any thread may listen.

    ConnectionError when the broker can't be reached within `connect_s` (CONNECT_S).
    """
    from gateway.base.clock import monotonic_s
    from gateway.dialects.discover import LISTEN_TO, DiscoveryListener
    from gateway.mqtt import Session
    from gateway.mqtt.configured import broker_of

    session = Session(broker_of(settings), f"{settings.client_id}-discover-{secrets.token_hex(4)}",
                      filters=LISTEN_TO, keep=False)  # fmt: skip
    listener = DiscoveryListener()
    end = monotonic_s() + (CONNECT_S if connect_s is None else connect_s)
    heard_from = False
    try:
        while monotonic_s() < end and not stopped():
            arrivals = session.poll(0.2)
            if session.subscribed and not heard_from:
                heard_from, end = True, monotonic_s() + seconds
                log.info("listening for %g s", seconds)
            if arrivals is None:
                continue
            for topic, payload, _ in arrivals.frames:
                listener.hear(topic.decode(errors="replace"), payload)
            session.ack(arrivals.epoch, arrivals.mids)
        if not heard_from and not stopped():
            raise ConnectionError(f"{', '.join(settings.mqtt.url)}: {session.trouble}; is the broker running?")
    finally:
        session.close()
    return listener.findings(configured_ids(settings))


def _shown(finding: Any, configured: bool) -> str:
    """One device as a caretaker reads it; the lines go under `resources:` as they are."""
    reports = ", ".join(finding.reports) or "nothing that a resource could use"
    of = f"  of station {finding.station}" if finding.station else ""
    head = f"# {finding.dialect}  {finding.topic}{of}  reports {reports}{'  (configured)' if configured else ''}\n"
    unused = "".join(f"#   no line for a {why}\n" for why in finding.unused)
    return head + "".join(f"{line}\n" for line in finding.lines) + unused + "\n"
