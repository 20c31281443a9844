"""Signed commands on `yz-cmd/…`: what passes the gate is carried out, what does not changes nothing.

What is for the station of a box goes to that box as well (`core.errands`). Whoever waits for an answer gets it once all
is durable.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from gateway.alerts.payload import rfc3339
from gateway.commands import CommandError, Gate, RepeatedError, SeenNonces, SignedCommand
from gateway.commands.answers import State
from gateway.commands.errands import CENTRE, told_by
from gateway.core.context import Context
from gateway.core.errands import BoxErrands
from gateway.core.reports import Reports
from gateway.model import RETAINED, Millis
from gateway.policy.override import Command, encode_command, read_command

CONFIG_WAITS_MS: Final = 86_400_000
"""A change set has no sense any more once its station was likely changed otherwise."""


def _way_of(order: SignedCommand) -> str:
    """Who told us. CommandError where its topic is not that of such a one."""
    try:
        way = told_by(order.text)
    except msgspec.ValidationError:
        raise CommandError("told_by is no text", "unreadable") from None
    if (way not in ("", CENTRE)) is not order.topic.startswith("yz-deed/"):
        raise CommandError("boxes tell on yz-deed what was done there, and nobody else does")
    return way


def _no_files(_order: SignedCommand) -> None:
    raise CommandError("this process runs without files of configuration")


class Commands:
    """`on_staff(station, text)` carries out a deed of staff with alerts and orders, CommandError for none;
    `on_done(by, what, target, detail)` writes the audit trail of the others; `on_config` has a change set of our centre
    carried out, and is answered by `errands.came_of_it`.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._gate = Gate(lambda: None, context.nonces)
        self.reports = Reports(context)
        self.errands = BoxErrands(context, self._override)
        self.on_staff: Callable[[str, bytes], None] = lambda _station, _text: None
        self.on_done: Callable[[str, str, str, str], None] = lambda _by, _what, _target, _detail: None
        self.on_config: Callable[[SignedCommand], None] = _no_files

    def trust(self, key: bytes, nonces: SeenNonces) -> None:
        """Let in what is signed with this key. `nonces`: which commands came before a restart."""
        self._context.nonces = nonces
        self._gate = Gate(lambda: key, nonces)
        self.errands.trust(key)

    def take(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        """A message on `yz-cmd/{station}/{what}`, or of a box on `yz-deed/…`. What is refused is counted."""
        if topic.count(b"/") == 3 and topic.endswith((b"/unlock", b"/call")):
            return  # a bridge's: it opens doors, and tells us by an event
        context = self._context
        try:
            order = self._gate.open(topic, payload, now, retained=bool(flags & RETAINED))
        except RepeatedError as error:
            try:
                self._again(error, now)
            except CommandError as wrong:
                self._refuse(wrong, now)
            return
        except CommandError as error:
            self._refuse(error, now)
            return
        context.outcome.kept["nonces"] = context.nonces.dump(now)
        if self.errands.came_again(order.nonce, now):
            return  # so long ago that only what came of it is known
        way = ""
        try:
            way = _way_of(order)
            state = self._carry_out(order, way, now)
        except CommandError as error:
            self._refuse(error, now)
            self.errands.answer(order, way, "refused", str(error), now)
            return
        context.live.counters["commands"] += 1
        if state is not None:
            self.errands.answer(order, way, state, "", now)

    def _again(self, error: RepeatedError, now: Millis) -> None:
        """It is done once. Whoever waits for an answer gets it again."""
        order = error.order
        if self.errands.came_again(order.nonce, now):
            return
        waited_for = self._context.answers.expected(order.nonce) or bool(_way_of(order))
        if order.path[1:] == ["staff"] and waited_for:
            self.on_staff(order.path[0], order.text)  # whose audit trail knows what was done
            return
        if order.path[1:] == ["config"] and waited_for:
            self.on_config(order)  # whose versions know it
            return
        self._refuse(error, now)
        self.errands.forgotten(order, now)

    def _refuse(self, error: CommandError, now: Millis) -> None:
        self._gate.refuse(error, now)
        self._context.quarantined["command"] += 1

    def _carry_out(self, order: SignedCommand, way: str, now: Millis) -> State | None:
        """What came of it; None where that will be said later. CommandError says why it is not done."""
        station, what, *more = [*order.path, "", ""][:3]
        if what == "staff" and not any(more):
            self.on_staff(station, order.text)
            return None
        if what == "check" and not any(more):
            self.reports.command(station, order.text, now)
            self.errands.put(order, station, what, now)
            return "done"
        if what == "config" and not any(more):
            return self._configure(order, station, now)
        if what != "override" or any(more):
            raise CommandError(f"{order.topic!r} is no command")
        command = read_command(order.text, now)
        until = None if command.override is None else command.override.until
        if not way and self.errands.put(order, station, what, now, until):
            return "waiting"  # what the box has not done does not hold here
        self._override(station, command, now)
        return "done"

    def _configure(self, order: SignedCommand, station: str, now: Millis) -> State | None:
        """For a box below us, or for us by our centre."""
        if self.errands.put(order, station, "config", now, now + CONFIG_WAITS_MS):
            return "waiting"
        if not self._context.answers.expected(order.nonce):
            raise CommandError("only a centre changes the configuration by command")
        self.on_config(order)
        return None

    def _override(self, station: str, command: Command, now: Millis) -> None:
        """CommandError where there is no such place."""
        live = self._context.live
        if not live.set_by_hand(command.target(station), command.override, now, partner=command.partner):
            raise CommandError("no such place", "no_such_place")
        self._context.outcome.kept["overrides"] = live.overrides.dump()
        target = "/".join(part for part in command.target(station) if part)
        said = command.override
        detail = "taken back" if said is None else f"{said.status} until {rfc3339(said.until or now)}"
        who = f"{command.by}@{command.told_by}" if command.told_by else command.by
        self.on_done(who, "override", target, detail)
        if not self._context.answers.waited_for_by_centre(command.nonce):
            until = None if said is None else said.until
            told = encode_command(msgspec.structs.replace(command, told_by=self.errands.centre))
            self.errands.put_up(station, "override", command.nonce, command.by, told, now, until)
