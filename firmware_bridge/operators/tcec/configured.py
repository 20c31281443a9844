"""From a bus's settings to an operator's platform by T/CEC 102."""

from pathlib import Path

from config.files import UnusableFileError, read_secret
from config.schema.bridge import BusSettings
from firmware_bridge.operators.tcec.envelope import TcecKeys, key_of
from firmware_bridge.operators.tcec.line import TcecParty
from firmware_bridge.operators.tcec.platform import TcecPlatform
from firmware_bridge.operators.web import AskError, Web


def tcec_of(bus: BusSettings, web: Web) -> TcecPlatform:
    return TcecPlatform(
        bus.port, lambda: party_of(bus), web, frozenset(str(device.connector) for device in bus.devices)
    )


def party_of(bus: BusSettings) -> TcecParty:
    """The secrets as they stand in their files now. AskError where one can't be used."""

    def secret(path: Path | None, key: str) -> str:
        assert path is not None  # the checks ask for it
        return read_secret(path, f"bridge.buses.{bus.id}.{key}").strip()

    try:
        data_secret = secret(bus.data_secret_file, "data_secret_file")
        data_iv = secret(bus.data_secret_iv_file, "data_secret_iv_file")
        keys = TcecKeys(
            key_of(data_secret, f"bridge.buses.{bus.id}.data_secret_file"),
            key_of(data_iv, f"bridge.buses.{bus.id}.data_secret_iv_file"),
            secret(bus.sig_secret_file, "sig_secret_file").encode(),
        )
        return TcecParty(bus.operator_id or "", secret(bus.operator_secret_file, "operator_secret_file"), keys)
    except (UnusableFileError, ValueError) as error:
        raise AskError(str(error)) from None
