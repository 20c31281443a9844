"""What doctor finds of keys and certificates, and of who may read them."""

from collections.abc import Iterator
from typing import Any

from api.commands.doctor_finding import DoctorFinding


def command_key(settings: Any) -> DoctorFinding:
    """The key that commands are signed with: there, a key, and nobody else's to read."""
    from gateway.commands.key import read_key

    path = settings.command_key
    try:
        key = read_key(path)
    except ValueError as error:
        return DoctorFinding("fail", "commands", str(error))
    if key is None:
        if settings.bridge is not None:
            return DoctorFinding(
                "warn", "commands", f"no key {path}: this bridge takes no command; copy the gateway's there"
            )
        return DoctorFinding("ok", "commands", f"{path} is made at the first start of the gateway")
    if path.stat().st_mode & 0o077:
        return DoctorFinding(
            "warn", "commands", f"{path} can be read by others, who may then command: chmod 600 {path}"
        )
    return DoctorFinding(
        "ok", "commands", f"signed with {path}; a bridge or an API on another machine needs the same file"
    )


def rights(settings: Any) -> DoctorFinding:
    """Files with secrets or about people that other users of this machine may read."""
    from api.exposed_files import exposed, told

    files = exposed(settings)
    if files:
        return DoctorFinding("warn", "rights", told(files))
    return DoctorFinding("ok", "rights", "nobody else on this machine may read secrets, keys and databases")


def certificates(settings: Any) -> Iterator[DoctorFinding]:
    """Those that the configuration names, and those that its servers show."""
    from api.certificates import look_at_certificates
    from gateway.base.clock import now_ms

    seen = look_at_certificates(settings, now_ms())
    yield from (DoctorFinding("warn", "certificate", text) for text in seen.unseen)
    yield from (DoctorFinding("warn", "certificate", f"{text}; renew it, docs/tls.md") for text in seen.ending)
    if seen.count and not seen.ending:
        yield DoctorFinding("ok", "certificate", f"{seen.count} are good for 20 days and longer")
