"""A channel's address and secret, from the configuration or the file it names."""

from config.files import read_secret
from config.schema.alerts import Channel
from gateway.notify.http import Target


def url_of(channel: Channel) -> str:
    """ValueError names the key that is missing or the file that can't be read."""
    if channel.url_file is not None:
        return read_secret(channel.url_file, f"alerts.channels.{channel.id}.url_file").strip()
    if channel.url is None:
        raise ValueError(f"alerts.channels.{channel.id}: needs url or url_file")
    return channel.url.strip()


def target_of(channel: Channel) -> Target:
    return Target(url_of(channel), channel.timeout_s, channel.allow_private)


def secret_of(channel: Channel) -> bytes | None:
    if channel.secret_file is None:
        return None
    return read_secret(channel.secret_file, f"alerts.channels.{channel.id}.secret_file").encode()
