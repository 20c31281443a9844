"""Signed commands on `yz-cmd/…`: what passes the gate is carried out, what does not changes nothing."""

from collections.abc import Callable

from gateway.alerts.payload import rfc3339
from gateway.commands import CommandError, Gate, SeenNonces, SignedCommand
from gateway.core.context import Context
from gateway.core.reports import Reports
from gateway.model import RETAINED, Millis
from gateway.policy.override import read_command


class Commands:
    """`on_staff(station, text)` carries out a deed of staff with alerts and orders, CommandError for none;
    `on_done(by, what, target, detail)` writes the audit trail of the others.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._gate = Gate(lambda: None, context.nonces)
        self.reports = Reports(context)
        self.on_staff: Callable[[str, bytes], None] = lambda _station, _text: None
        self.on_done: Callable[[str, str, str, str], None] = lambda _by, _what, _target, _detail: None

    def trust(self, key: bytes, nonces: SeenNonces) -> None:
        """Let in what is signed with this key. `nonces`: which commands came before a restart."""
        self._context.nonces = nonces
        self._gate = Gate(lambda: key, nonces)

    def take(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        """A message on `yz-cmd/{station}/{what}`. What is refused is counted."""
        if topic.count(b"/") == 3 and topic.endswith((b"/unlock", b"/call")):
            return  # a bridge's: it opens doors, and tells us by an event
        context = self._context
        try:
            order = self._gate.open(topic, payload, now, retained=bool(flags & RETAINED))
            context.outcome.kept["nonces"] = context.nonces.dump(now)
            self._carry_out(order, now)
        except CommandError as error:
            self._gate.refuse(error, now)
            context.quarantined["command"] += 1
        else:
            context.live.counters["commands"] += 1

    def _carry_out(self, order: SignedCommand, now: Millis) -> None:
        """CommandError says why it is not done."""
        live = self._context.live
        station, what, *more = [*order.path, "", ""][:3]
        if what == "staff" and not any(more):
            self.on_staff(station, order.text)
            return
        if what == "check" and not any(more):
            self.reports.command(station, order.text, now)
            return
        if what != "override" or any(more):
            raise CommandError(f"{order.topic!r} is no command")
        command = read_command(order.text, now)
        if not live.set_by_hand(command.target(station), command.override, now, partner=command.partner):
            raise CommandError("no such place", "no_such_place")
        self._context.outcome.kept["overrides"] = live.overrides.dump()
        target = "/".join(part for part in command.target(station) if part)
        said = command.override
        detail = "taken back" if said is None else f"{said.status} until {rfc3339(said.until or now)}"
        self.on_done(order.by, "override", target, detail)
