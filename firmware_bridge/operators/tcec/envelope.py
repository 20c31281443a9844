"""The envelope of T/CEC 102.4: Data is AES-128-CBC with PKCS#7 padding in base64, Sig is HMAC-MD5 in capitals.

Of a question the signature is over OperatorID, Data, TimeStamp and Seq, of an answer over Ret, Msg and Data. MD5 and
the fixed IV are the standard's; what keeps strangers out is TLS around it.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from msgspec import Struct

from firmware_bridge.operators.web import UNREADABLE
from gateway.model import Millis

BUSY, WELL, BAD_SIGNATURE, BAD_TOKEN, BAD_ENVELOPE, BAD_DATA, FAILED = -1, 0, 4001, 4002, 4003, 4004, 500
BLOCK: Final = 16
BEIJING: Final = timedelta(hours=8)
STAMP: Final = "%Y%m%d%H%M%S"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EnvelopeError(Exception):
    """`ret` is the standard's code for it."""

    def __init__(self, ret: int, why: str) -> None:
        super().__init__(why)
        self.ret = ret


class AskedEnvelope(Struct, rename="pascal"):
    """The envelope of a question; the standard writes OperatorID."""

    data: str
    time_stamp: str
    seq: str
    sig: str
    operator_id: str = msgspec.field(name="OperatorID")


class AnswerEnvelope(Struct, rename="pascal"):
    """The envelope of an answer. Some write Ret as text, and null for no data."""

    ret: int | str
    msg: str | None = ""
    data: str | None = ""
    sig: str | None = ""


@dataclass(frozen=True, slots=True)
class TcecKeys:
    """`data_secret` and `data_iv` are 16 bytes each."""

    data_secret: bytes = field(repr=False)
    data_iv: bytes = field(repr=False)
    sig_secret: bytes = field(repr=False)

    def sealed(self, told: Any) -> str:
        padder, cipher = PKCS7(8 * BLOCK).padder(), self._cipher().encryptor()
        padded = padder.update(msgspec.json.encode(told)) + padder.finalize()
        return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()

    def opened(self, data: str) -> bytes:
        """EnvelopeError for what these keys did not seal."""
        try:
            raw = base64.b64decode(data, validate=True)
            cipher, unpadder = self._cipher().decryptor(), PKCS7(8 * BLOCK).unpadder()
            return unpadder.update(cipher.update(raw) + cipher.finalize()) + unpadder.finalize()
        except (binascii.Error, ValueError):
            raise EnvelopeError(BAD_ENVELOPE, "its Data can't be opened: are data_secret_file and iv right?") from None

    def signature(self, *parts: str) -> str:
        return hmac.new(self.sig_secret, "".join(parts).encode(), "md5").hexdigest().upper()

    def check(self, sig: str | None, *parts: str) -> None:
        """EnvelopeError for a wrong one."""
        told = (sig or "").upper().encode("utf-8", "replace")
        if not hmac.compare_digest(self.signature(*parts).encode(), told):
            raise EnvelopeError(BAD_SIGNATURE, "its signature is wrong: is sig_secret_file right?")

    def _cipher(self) -> Cipher[CBC]:
        return Cipher(AES(self.data_secret), CBC(self.data_iv))

    # ---- whole envelopes ----

    def question(self, operator_id: str, told: Any, stamp: str, seq: str) -> bytes:
        data = self.sealed(told)
        sig = self.signature(operator_id, data, stamp, seq)
        return msgspec.json.encode(AskedEnvelope(data, stamp, seq, sig, operator_id))

    def asked(self, body: bytes) -> tuple[AskedEnvelope, bytes]:
        """A question and what is in it. EnvelopeError."""
        try:
            envelope = msgspec.json.decode(body, type=AskedEnvelope)
        except UNREADABLE:
            raise EnvelopeError(BAD_ENVELOPE, "OperatorID, Data, TimeStamp, Seq and Sig are needed") from None
        self.check(envelope.sig, envelope.operator_id, envelope.data, envelope.time_stamp, envelope.seq)
        return envelope, self.opened(envelope.data)

    def answer(self, ret: int, msg: str, told: Any = None) -> bytes:
        data = "" if told is None else self.sealed(told)
        return msgspec.json.encode(AnswerEnvelope(ret, msg, data, self.signature(str(ret), msg, data)))

    def answered(self, body: bytes) -> bytes:
        """What is in an answer. EnvelopeError, with the Ret of a refusal."""
        try:
            envelope = msgspec.json.decode(body, type=AnswerEnvelope)
            ret = int(envelope.ret)
        except (*UNREADABLE, ValueError):
            raise EnvelopeError(BAD_ENVELOPE, "no answer of T/CEC 102") from None
        if ret != WELL:
            raise EnvelopeError(ret, f"Ret {ret}{_MEANINGS.get(ret, '')}")
        data = envelope.data or ""
        self.check(envelope.sig, str(envelope.ret), envelope.msg or "", data)
        return self.opened(data)


_MEANINGS = {
    BUSY: ", it is busy",
    BAD_SIGNATURE: ", our signature: is sig_secret_file right?",
    BAD_TOKEN: ", our token",
    BAD_ENVELOPE: ", our envelope: are operator_id and data_secret_file right?",
    BAD_DATA: ", what we asked",
    FAILED: ", a fault of its own",
}


def key_of(text: str, what: str) -> bytes:
    """16 bytes, as text or as 32 hexadecimal digits. ValueError."""
    raw = text.encode()
    if len(raw) == 2 * BLOCK:
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            pass
    if len(raw) != BLOCK:
        raise ValueError(f"{what}: AES-128 needs 16 characters, or 32 hexadecimal digits")
    return raw


def stamp_of(at: Millis) -> str:
    """yyyyMMddHHmmss in Beijing time."""
    return (_EPOCH + timedelta(milliseconds=at) + BEIJING).strftime(STAMP)


def time_in(stamp: str) -> Millis | None:
    """The time of such a stamp; None where it is none."""
    if len(stamp) != 14 or not (stamp.isascii() and stamp.isdigit()):
        return None
    try:
        moment = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC) - BEIJING
    except (ValueError, OverflowError):
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)
