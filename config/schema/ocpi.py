"""`ocpi:`: our charging points told to apps by OCPI 2.2.1, and who may ask."""

from typing import Annotated, Literal

from pydantic import Field

from config.schema.base import File, Id, Model, Positive


class OcpiPartner(Model):
    """Who may ask, and is told of changes once it has registered."""

    id: Id
    """Unique; it stands in logs."""
    token_file: File
    """File with the token that we gave it: with it alone it may read, and register."""
    allow_private: bool = False
    """Whether its own addresses, which it tells when it registers, may lie in a private network."""


class OcpiConnector(Model):
    """What the sockets of one type of charger are: OCPI wants to know, and no device says so."""

    standard: Annotated[str, Field(pattern=r"^[A-Z0-9_]{2,40}$")] = "GBT_AC"
    """ConnectorType of OCPI, such as GBT_AC, GBT_DC, IEC_62196_T2, DOMESTIC_I."""
    format: Literal["SOCKET", "CABLE"] = "SOCKET"
    """Whether one brings the cable."""
    power_type: Literal["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"] = "AC_1_PHASE"
    """PowerType of OCPI."""
    max_voltage: Positive = 220
    """Volts, line to neutral for AC."""
    max_amperage: Positive = 32
    """Amperes."""


class OcpiEbikeConnector(OcpiConnector):
    """The same for e-bikes: the plug of a household."""

    standard: Annotated[str, Field(pattern=r"^[A-Z0-9_]{2,40}$")] = "DOMESTIC_I"
    """ConnectorType of OCPI."""
    max_amperage: Positive = 10
    """Amperes."""


class Ocpi(Model):
    """Our charging points for apps, after OCPI 2.2.1."""

    country_code: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    """Country of the operator, ISO 3166-1 alpha-2."""
    party_id: Annotated[str, Field(pattern="^[A-Z0-9]{3}$")]
    """The operator's id in that country, three characters."""
    country: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CHN"
    """Country of the stations, ISO 3166-1 alpha-3."""
    name: Annotated[str, Field(min_length=1, max_length=100)] = "yizhan"
    """The operator's name."""
    ev: OcpiConnector = OcpiConnector()
    """The sockets of chargers of type ev."""
    ebike: OcpiEbikeConnector = OcpiEbikeConnector()
    """The sockets of chargers of type ebike."""
    partners: tuple[OcpiPartner, ...] = ()
    """Who may ask."""
