"""`staff:` and `oidc:`: people who log in as themselves, and the providers that say who they are."""

from typing import Annotated, Literal

from pydantic import Field

from config.schema.base import File, HttpUrl, Id, Model, Strings

ShortText = Annotated[str, Field(min_length=1, max_length=200)]


class StaffLogin(Model):
    """What a provider says of somebody."""

    provider: Id
    """Id of one under `oidc`."""
    user: ShortText | None = None
    """What the provider's `claim` is for this one person."""
    group: ShortText | None = None
    """Or: whoever is in this group there; each comes in under the entry's name with his own beside it."""


class StaffMember(Model):
    """Somebody who works here, or everybody of a group, and how far they reach."""

    id: Id
    """Unique; it stands in the audit trail."""
    name: Annotated[str, Field(min_length=1, max_length=60)]
    """As colleagues know them."""
    role: Literal["viewer", "operator", "admin"]
    """What they may do; a group can't be admin."""
    stations: Strings = ()
    """Only these stations; without stations and regions all."""
    regions: Strings = ()
    """Only these regions, by path: 江苏/南京/鼓楼区."""
    logins: tuple[StaffLogin, ...] = ()
    """How they come in."""


class LoginProvider(Model):
    """Where people prove who they are."""

    id: Id
    """Unique; it stands in the addresses `/login/{id}` and `/login/{id}/back`: register the second there."""
    kind: Literal["oidc", "wecom"] = "oidc"
    """OpenID Connect, or 企业微信, which speaks its own."""
    name: ShortText
    """What the button at /login says."""
    issuer: HttpUrl | None = None
    """Address of the provider, as it writes it itself; below it lies .well-known/openid-configuration (oidc);
    or of an own installation of 企业微信."""
    client_id: ShortText | None = None
    """What we are called there (oidc)."""
    secret_file: File | None = None
    """File with our secret there; oidc without it: a public client, held by PKCE alone."""
    claim: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:./-]{1,100}$")] = "sub"
    """What of the token says who somebody is: sub, email (which must be verified), or another that nobody can change
    for himself there (oidc)."""
    groups_claim: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:./-]{1,100}$")] = "groups"
    """What of the token lists groups (oidc)."""
    scopes: Annotated[Strings, Field(max_length=20)] = ("openid", "email", "profile")
    """What we ask for; openid is always asked for (oidc)."""
    corp_id: ShortText | None = None
    """The company's id (wecom)."""
    agent_id: Annotated[int, Field(ge=0)] | None = None
    """The app's AgentId (wecom)."""
    ca_file: File | None = None
    """PEM file of the authority that signed the provider's certificate (default: the system's)."""
    allow_private: bool = False
    """Allow an address in a private network or on this machine, and there plain http."""
    timeout_s: Annotated[int, Field(ge=1, le=30)] = 5
    """How long one question to it may take."""
