"""Mail. A message keeps its Message-ID over retries, so that a mailbox shows a repeat as one."""

import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from config.files import read_secret
from config.schema.alerts import Channel
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.http import allowed
from gateway.notify.plain import plain

ADDRESS_CHARS = 320  # RFC 3696 erratum 1690, local part and domain
# A name that a server may look up (RFC 5321, 4.1.2): labels of letters, digits and hyphens, two or more.
_FULL_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))+")
_NO_MAIL_HERE = frozenset({521, 556})  # RFC 7504: the host takes no mail


class Smtp:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, message: StaffMessage) -> None:
        host = self._channel.host or "localhost"
        allowed(host, self._channel.port, allow_private=self._channel.allow_private)
        try:
            with self._connect(host) as server:
                self._log_in(server)
                refused = server.send_message(self._mail(message))
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(host, "every receiver", error.recipients) from error
        except smtplib.SMTPResponseException as error:
            raise SendError(
                f"{host}: {error.smtp_code} {_words(error.smtp_error)}{_mend(error.smtp_code)}",
                permanent=is_final(error.smtp_code),
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise SendError(f"{host}: {type(error).__name__}: {error}") from error
        if refused:
            raise _refusal(host, f"{len(refused)} of the receivers", refused)

    def _connect(self, host: str) -> smtplib.SMTP:
        channel, context = self._channel, ssl.create_default_context()
        name = channel.hello or "yizhan"  # else smtplib asks the name service for ours, which may take half a minute
        server: smtplib.SMTP
        if channel.security == "tls":
            server = smtplib.SMTP_SSL(host, channel.port, name, timeout=channel.timeout_s, context=context)
        else:
            server = smtplib.SMTP(host, channel.port, name, timeout=channel.timeout_s)
        if channel.hello is None and server.sock is not None:
            server.local_hostname = hello_of(socket.gethostname(), server.sock.getsockname()[0])
        if channel.security == "starttls":
            server.starttls(context=context)
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        channel = self._channel
        if channel.username and channel.password_file:
            server.login(channel.username, read_secret(channel.password_file, "alerts.channels.password_file"))

    def _mail(self, message: StaffMessage) -> EmailMessage:
        sender = plain(self._channel.sender or "yizhan@localhost", ADDRESS_CHARS)
        mail = EmailMessage()
        mail["Subject"] = message.title
        mail["From"] = sender
        mail["To"] = ", ".join(plain(address, ADDRESS_CHARS) for address in self._channel.to)
        mail["Date"] = formatdate(message.sent_at / 1000)
        mail["Message-ID"] = f"<{message.id.replace(':', '.')}@{parseaddr(sender)[1].rpartition('@')[2]}>"
        mail.set_content(message.text)
        return mail


def hello_of(name: str, address: str) -> str:
    """How to greet a server: by a full name, else by our address in brackets (RFC 5321, 4.1.4). A bare name such as
    `box` is refused by servers that ask for a full one (504 5.5.2)."""
    if _FULL_NAME.fullmatch(name) and not name.rpartition(".")[2].isdigit():
        return name
    return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"


def is_final(code: int) -> bool:
    """5yz of class x5z (mailbox, content, policy) is about this message, for ever (RFC 5321, 4.2.1). 50z and 53z are
    about our name, encryption or log-in, which can be mended while the message waits; 4yz asks to try again."""
    return 550 <= code <= 559 or code in _NO_MAIL_HERE


def _refusal(host: str, who: str, refused: dict[str, tuple[int, bytes]]) -> SendError:
    """Permanent only if nobody of them may take it later, as a server that greylists will."""
    code, words = min(refused.values())
    text = f"{host}: refused for {who}: {code} {_words(words)}{_mend(code)}"
    return SendError(text, permanent=all(is_final(code) for code, _ in refused.values()))


def _words(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


def _mend(code: int) -> str:
    return "; set the channel's `hello` to a full name of this machine" if code == 504 else ""


def build(channel: Channel) -> Sender:
    return Smtp(channel)
