"""What people change, as signed commands on `yz-cmd/…`: one way to make them, one gate that lets them in."""

from gateway.commands.gate import LIFE_MS, CommandError, Gate, Nonces, Order, Seen, sign
from gateway.commands.key import CommandKey, made_key

__all__ = ["LIFE_MS", "CommandError", "CommandKey", "Gate", "Nonces", "Order", "Seen", "made_key", "sign"]
