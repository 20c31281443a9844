"""What people say of checks: each report is a message of the journal, once, and then moves what is live."""

from typing import Final

import msgspec

from gateway import wire
from gateway.commands import CommandError
from gateway.core.context import Context
from gateway.evidence.checks import (
    AHEAD_MS,
    BACK_MS,
    IDS_KEPT_MS,
    CheckReport,
    Result,
    StoredCheck,
    decode_report,
    encode_report,
    report_of_command,
)
from gateway.live import Station
from gateway.model import Millis
from gateway.wire import UnreadableError

SLACK_MS: Final = 60_000
"""So much later than the API looked at it a report may reach us."""
FORGET_AT: Final = 10_000


class Reports:
    """Takes reports for the stations of one core."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def command(self, station: str, text: bytes, now: Millis) -> None:
        """A report that came signed. CommandError says why it is not taken."""
        try:
            report = report_of_command(text).tidied()
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise CommandError(f"unreadable: {error}", "unreadable") from None
        known = self._context.live.stations.get(station)
        if known is None or report.check not in known.checks or report.result == "verified":
            raise CommandError("no such check", "no_such_place")
        if not now - BACK_MS - SLACK_MS <= report.ts <= now + AHEAD_MS + SLACK_MS:
            raise CommandError("made more than 30 days ago, or in the future", "senseless")
        self._take(known, report, now)

    def recorded(self, topic: bytes, payload: bytes, now: Millis) -> None:
        """One of a journal. UnreadableError when it is none; of a check that is asked no more nothing follows."""
        station, check, _ = wire.parse_stored(topic)
        try:
            report = decode_report(payload)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise UnreadableError("wrong_type") from None
        if report.check != check:
            raise UnreadableError("wrong_type")
        known = self._context.live.stations.get(station)
        if known is None:
            raise UnreadableError("unknown_station")
        self._take(known, report, now)

    def verified(self, station: str, check: str, by: str, name: str, now: Millis) -> None:
        """Somebody has seen that the work ordered for a problem is done. `name`: the report's id, 32 hex digits."""
        known = self._context.live.stations.get(station)
        state = known.checks.get(check) if known is not None else None
        if known is None or state is None or not state.problem:
            return
        groups = (name[:8], name[8:12], name[12:16], name[16:20], name[20:32])
        result: Result = "verified"
        self._take(known, CheckReport(id="-".join(groups), check=check, ts=now, result=result, by=by).tidied(), now)

    def _take(self, station: Station, report: CheckReport, now: Millis) -> None:
        context = self._context
        if report.id in context.reports:
            context.live.counters["duplicate"] += 1
            return
        self._remember(report, now)
        topic = wire.topic(station.id, report.check, "check").encode()
        context.outcome.batch.append(topic, encode_report(report), now, 0)
        context.outcome.reports.append(StoredCheck(station.id, report, now))
        if report.check in station.checks and not context.live.rounds.reported(station, report, now):
            context.live.counters["late"] += 1

    def _remember(self, report: CheckReport, now: Millis) -> None:
        reports = self._context.reports
        if len(reports) >= FORGET_AT and len(reports) % FORGET_AT == 0:
            self._context.reports = reports = {name: at for name, at in reports.items() if at > now - IDS_KEPT_MS}
        reports[report.id] = report.ts
