"""The lines of `yizhan doctor` about a centre and its boxes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.commands.doctor import DoctorFinding
    from config.schema import Settings

CONNECT_S = 6.0


def centre(settings: "Settings") -> Iterator["DoctorFinding"]:
    """Whether the centre's broker lets this box in, and whether its staff are obeyed; nothing without an uplink."""
    from api.commands.doctor import DoctorFinding
    from gateway.base.clock import monotonic_s
    from gateway.commands.key import read_key
    from gateway.mqtt import Session
    from gateway.uplink.line import broker_of_centre

    uplink = settings.uplink
    if uplink is not None:
        box, where = settings.box_id, f"{uplink.endpoint.host}:{uplink.endpoint.port}"
        filters = [f"yz-ack/{station.id}/{box}" for station in settings.stations]
        try:
            session = Session(broker_of_centre(uplink), f"yizhan-uplink-{box}-doctor", filters=filters, keep=False)
        except (OSError, ValueError) as error:
            yield DoctorFinding("fail", "centre", str(error))
            return
        end = monotonic_s() + CONNECT_S
        while not session.subscribed and monotonic_s() < end:
            session.poll(0.1)
        ready, trouble = session.subscribed, session.trouble
        session.close()
        if ready:
            yield DoctorFinding("ok", "centre", f"{where} lets us in as box {box}")
        else:
            mend = "the journal keeps everything; look at uplink.url and that broker's access list"
            yield DoctorFinding("fail", "centre", f"{trouble or where + ' does not answer'}; {mend}")
        key_file = uplink.command_key_file
        if key_file is None or read_key(key_file, "uplink.command_key_file") is None:
            yield DoctorFinding("ok", "centre", "its staff are not obeyed here: uplink.command_key_file has no key")


def differences(settings: "Settings") -> Iterator["DoctorFinding"]:
    """Stations of ours of which a box has other lines: ours hold, and somebody should know."""
    from api.commands.doctor import DoctorFinding
    from config.files import LIST_BYTES, UnusableFileError, read_bytes
    from config.sites import path_of, read_site

    for station in settings.stations:
        if station.id in settings.owners:
            continue
        try:
            site = read_site(read_bytes(path_of(settings.store.path, station.id), "site", LIST_BYTES))
        except (UnusableFileError, ValueError):
            continue
        theirs, ours = ({one.id for area in side.areas for one in area.resources} for side in (site.station, station))
        unlike = sorted(theirs ^ ours)
        if unlike:
            text = f"{station.id}: box {site.box} and we differ in {', '.join(unlike[:5])}; ours holds"
            yield DoctorFinding("warn", "boxes", text)
