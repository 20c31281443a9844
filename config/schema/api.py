"""`api:`: the web side: addresses, limits for the stream, and what the screens look like by default."""

from typing import Annotated, Literal

from pydantic import Field

from config.schema.base import (
    File,
    Folder,
    HostPort,
    Hours,
    Language,
    Listen,
    Model,
    Network,
    NotNegative,
    Positive,
    RootUrl,
    Seconds,
)


class Stream(Model):
    """Limits of the Server-Sent Events stream."""

    clients_total: Positive = 2000
    """Streams at a time in all."""
    clients_per_address: Positive = 30
    """Streams at a time from one address; walls (16 of an address) and loopback are not counted."""
    reserved_for_screens: NotNegative = 100
    """Of the total, kept free for station screens."""
    send_timeout_s: Annotated[int, Field(ge=1, le=60)] = 6
    """A reader that takes nothing for so long is let go."""


class Display(Model):
    """How a station's screen is shown."""

    lang: Literal["auto", "zh", "zh-hant", "en"] = "auto"
    """Language of the page; auto follows the browser, Chinese where that says nothing."""
    second_lang: Language | None = "en"
    """Second, smaller language on the screen; null for none."""
    distance_m: Annotated[float, Field(ge=0.3, le=30)] = 5
    """From how far the screen is read; text grows with it."""
    screen_inches: Annotated[float, Field(ge=5, le=200)] = 43
    """Diagonal of the panel."""
    theme: Literal["auto", "day", "night"] = "auto"
    """Colours: auto turns to night within `night_hours`."""
    night_hours: Hours = "21:00-06:30"
    """When the screen is dimmed, in opening_hours syntax."""


class Api(Model):
    """The HTTP side."""

    listen: Listen = HostPort("127.0.0.1", 8080)
    """Address and port to serve on; port 0 takes a free one."""
    cert_file: File | None = None
    """Certificate (PEM, with those between it and its authority) for https on `listen`; read again when it changes."""
    key_file: File | None = None
    """Its key."""
    public_url: RootUrl | None = None
    """Address under which phones reach us, for QR codes and links; by default that of the request. Without a
    path: the pages stand at the root of a host."""
    trusted_proxies: tuple[Network, ...] = ()
    """Networks of reverse proxies whose X-Forwarded-For is believed."""
    keys_file: Folder | None = None
    """File of the staff keys; by default keys.json in the store's folder."""
    session_hours: Annotated[int, Field(ge=1, le=720)] = 12
    """How long a staff login in a browser lasts."""
    reports_per_hour: Positive = 6
    """Problem reports that one address may send in an hour."""
    subscriptions_allow_private: bool = False
    """Whether apps may have webhooks delivered to addresses in a private network."""
    screen_silent_s: Seconds = 300
    """A screen that has checked in for three times as long, and then does not for so long, raises an alert."""
    tiles_url: str | None = None
    """Map tiles ({z}/{x}/{y}) for the overview; by default the map is drawn without any outside server."""
    stream: Stream = Stream()
    """Limits of the Server-Sent Events stream."""
    display: Display = Display()
    """How screens are shown, unless a station says otherwise."""
