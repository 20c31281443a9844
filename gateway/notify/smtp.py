"""Mail. A message keeps its Message-ID over retries, so that a mailbox shows a repeat as one."""

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from config.schema.alerts import Channel
from config.schema.base import read_secret
from gateway.notify.base import Message, Sender, SendError
from gateway.notify.http import public_addresses


class Smtp:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, message: Message) -> None:
        host = self._channel.host or "localhost"
        public_addresses(host, self._channel.port, allow_private=self._channel.allow_private)
        try:
            with self._connect(host) as server:
                self._log_in(server)
                refused = server.send_message(self._mail(message))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise SendError(f"{host}: every receiver refused: {codes}", permanent=min(codes) >= 500) from error
        except smtplib.SMTPResponseException as error:
            text = (
                error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            raise SendError(f"{host}: {error.smtp_code} {text}", permanent=_is_final(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise SendError(f"{host}: {type(error).__name__}: {error}") from error
        if refused:
            raise SendError(f"{host}: refused for {len(refused)} of the receivers", permanent=True)

    def _connect(self, host: str) -> smtplib.SMTP:
        channel, context = self._channel, ssl.create_default_context()
        name = socket.gethostname()  # else smtplib asks the name service for ours, which may take half a minute
        if channel.security == "tls":
            return smtplib.SMTP_SSL(host, channel.port, name, timeout=channel.timeout_s, context=context)
        server = smtplib.SMTP(host, channel.port, name, timeout=channel.timeout_s)
        if channel.security == "starttls":
            server.starttls(context=context)
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        channel = self._channel
        if channel.username and channel.password_file:
            server.login(channel.username, read_secret(channel.password_file, "alerts.channels.password_file"))

    def _mail(self, message: Message) -> EmailMessage:
        sender = self._channel.sender or "yizhan@localhost"
        mail = EmailMessage()
        mail["Subject"] = message.title
        mail["From"] = sender
        mail["To"] = ", ".join(self._channel.to)
        mail["Date"] = formatdate(message.sent_at / 1000)
        mail["Message-ID"] = f"<{message.id.replace(':', '.')}@{sender.rpartition('@')[2]}>"
        mail.set_content(message.text)
        return mail


def _is_final(error: smtplib.SMTPResponseException) -> bool:
    """5xx is for ever (RFC 5321, 4.2.1), but a wrong password can be mended while the message waits."""
    return error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)


def build(channel: Channel) -> Sender:
    return Smtp(channel)
