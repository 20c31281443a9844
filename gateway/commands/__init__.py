"""What people change, as signed commands on `yz-cmd/…`: one way to make them, one gate that lets them in."""

from gateway.commands.gate import LIFE_MS, CommandError, Gate, Nonces, RepeatedError, SeenNonces, SignedCommand, sign
from gateway.commands.key import CommandKey, made_key
from gateway.commands.pile_answers import A_WORD, answer_in_short
from gateway.commands.staff_tokens import carries_foreign_token, is_ours, make_token

__all__ = [
    "A_WORD", "LIFE_MS", "CommandError", "CommandKey", "Gate", "Nonces", "RepeatedError", "SeenNonces", "SignedCommand",
    "answer_in_short", "carries_foreign_token", "is_ours", "made_key", "make_token", "sign",
]  # fmt: skip
