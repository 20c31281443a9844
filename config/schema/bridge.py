"""`bridge:`: the serial and field buses of one station box."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from config.modules import names_in
from config.schema.base import DeviceId, File, Folder, HttpUrl, Id, Model, NotNegative, Positive, Seconds, is_loopback

if TYPE_CHECKING:
    Protocol = str
else:
    Protocol = Literal[names_in("firmware_bridge/protocols")]
PollSeconds = Annotated[float, Field(gt=0, le=86_400)]
Direction = Literal["in", "out"]


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Label = Annotated[
    str, Field(min_length=1, max_length=64), BeforeValidator(_digits, json_schema_input_type=str | int)
]  # a number without quotes is one, too
Number = Annotated[int, Field(ge=0, le=10**36)]


class DeviceSettings(Model):
    """One device on a bus that several share."""

    device: DeviceId
    """Its name in topics."""
    unit: Annotated[int, Field(ge=0, le=247)] | None = None
    """Its address on the bus (modbus 1 to 247, osdp 0 to 126, boards)."""
    address: Label | None = None
    """Its address where that is no number: 12 digits for dlt645, the pile's number for ap3000 and ykc."""
    map: Folder | None = None
    """Register map (modbus)."""
    poll_s: PollSeconds | None = None
    """How often it is asked; by default as the bus says."""
    direction: Direction | None = None
    """Which way a card at this reader leads."""
    key_file: File | None = None
    """File with the secure-channel key in hex (osdp)."""
    charge_point: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,47}$")] | None = None
    """The pile's own name, the end of the address that it dials (ocpp)."""
    connector: Number | Label = 1
    """Which connector of the pile it is, from 1 (ocpp, ykc), or of the EVSE (ocpi); its ConnectorID (tcec)."""
    evse: Number | Label | None = None
    """Which EVSE of the station, from 2.0.1 on; by default `connector` is the EVSE and its connector is 1 (ocpp). The
    uid of the EVSE at its operator (ocpi)."""
    password_file: File | None = None
    """File with the pile's password; once for each charge point (ocpp)."""


class BusSettings(Model):
    """One port, and what is on it."""

    id: Id
    """Unique among buses."""
    port: str
    """Serial port, its usb:VID:PID[:SERIAL], or tcp://host:port or ws://host:port/path to listen on, or the https://
    address of an operator's platform."""
    protocol: Protocol
    """What is spoken there."""
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 9600
    """Bits a second."""
    bytesize: Literal[7, 8] = 8
    """Data bits."""
    parity: Literal["none", "even", "odd"] = "none"
    """Parity bit."""
    stopbits: Literal[1, 2] = 1
    """Stop bits."""
    device: DeviceId | None = None
    """The one device on it."""
    devices: tuple[DeviceSettings, ...] = ()
    """The devices that share it."""
    direction: Direction | None = None
    """Which way a card at this reader leads."""
    poll_s: PollSeconds = 5
    """How often each device is asked."""
    timeout_ms: Annotated[int, Field(ge=10, le=60_000)] = 300
    """How long an answer may take."""
    held_s: Seconds = 30
    """A door open for longer is held."""
    relay_pulse_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    """Length of the pulse that opens the lock; 0 where the hardware has none."""
    cert_file: File | None = None
    """Our certificate for wss:// (ocpp), or for `listen` (ocpi, tcec)."""
    key_file: File | None = None
    """Its private key (ocpp, ocpi, tcec)."""
    client_ca_file: File | None = None
    """Who signs the piles' certificates: then each must show one in its own name, profile 3 (ocpp)."""
    allow_unauthenticated: bool = False
    """Let piles without a password in, also from other machines: profile 0 (ocpp)."""
    authorize: Literal["all", "list"] = "all"
    """Who may charge: everybody, or the pseudonyms of allow_list_file (ocpp)."""
    heartbeat_s: Annotated[int, Field(ge=5, le=900)] = 60
    """How often a pile is to say that it is there; shorter where a line is cut sooner (ocpp)."""
    upstream: str | None = None
    """The operator's central system, ws:// or wss://, without the pile's name: he keeps command, we listen (ocpp)."""
    upstream_ca_file: File | None = None
    """Who signs the operator's certificate, where it is an authority of his own (ocpp)."""
    relay_key_file: File | None = None
    """File with the key in hex that seals what waits for the operator (ocpp)."""
    allow_calls: bool = False
    """With upstream: staff may call the piles, too, and not the operator alone (ocpp)."""

    token_file: File | None = None
    """File with the token that the operator gave us (ocpi)."""
    country_code: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    """Our country in what we tell the operator, ISO 3166-1 alpha-2 (ocpi)."""
    party_id: Annotated[str, Field(pattern="^[A-Z0-9]{3}$")] | None = None
    """Our id in that country, three characters (ocpi)."""
    listen: HttpUrl | None = None
    """Where the operator may tell us changes, like https://0.0.0.0:9443/ocpi (ocpi, tcec)."""
    public_url: HttpUrl | None = None
    """How the operator reaches `listen`, where that is another address; without both nothing is registered (ocpi)."""
    operator_id: Label | None = None
    """Who we are to the operator, OperatorID (tcec)."""
    operator_secret_file: File | None = None
    """File with OperatorSecret, for which a token is given (tcec)."""
    data_secret_file: File | None = None
    """File with DataSecret, 16 characters: Data is encrypted with it (tcec)."""
    data_secret_iv_file: File | None = None
    """File with DataSecretIV, 16 characters (tcec)."""
    sig_secret_file: File | None = None
    """File with SigSecret: questions and answers are signed with it (tcec)."""
    stale_s: Seconds = 86_400
    """An operator's word that he dates further back than this is not shown (ocpi)."""

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach its listener."""
        return is_loopback(urlsplit(self.port).hostname or "")


class SpoolSettings(Model):
    """What the gateway has not confirmed yet, on disk."""

    path: Folder = Path("spool")
    """Its folder."""
    max_mib: Positive = 256
    """Beyond this the oldest telemetry goes first, events never."""
    backlog_per_s: Positive = 200
    """Rate at which a backlog is sent after an outage."""


class Bridge(Model):
    """The firmware bridge of one box."""

    station: Id
    """The station it speaks for."""
    id: Id = "bridge"
    """Name of this box."""
    card_key_file: File | None = None
    """File with the key that turns card numbers into pseudonyms; needed by card readers."""
    card_rotation: Literal["day", "week", "month", "never"] = "day"
    """After so long the same card has another pseudonym."""
    allow_list_file: File | None = None
    """Card pseudonyms that may enter while the network is down, one a line; `blocked` or `until` a day may follow."""
    silent_s: NotNegative = 0
    """A device that does not answer for so long is published as offline; 0 takes three polls."""
    spool: SpoolSettings = SpoolSettings()
    """What the gateway has not confirmed yet, on disk."""
    buses: tuple[BusSettings, ...] = ()
    """Its ports."""
