"""The lines of `yizhan doctor` about a centre and its boxes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from api.commands.doctor_broker import answers_of, by_address
from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from config.schema import Settings, StationSettings


def centre(settings: "Settings") -> Iterator[DoctorFinding]:
    """Whether the centre's broker lets this box in, and whether its staff are obeyed; nothing without an uplink."""
    from gateway.commands.key import read_key
    from gateway.mqtt.configured import broker_of_centre

    uplink = settings.uplink
    if uplink is not None:
        box = settings.box_id
        filters = [f"yz-ack/{station.id}/{box}" for station in settings.stations]
        try:
            answers = answers_of(broker_of_centre(uplink), f"yizhan-uplink-{box}-doctor", filters)
        except (OSError, ValueError) as error:
            yield DoctorFinding("fail", "centre", str(error))
            return
        mends = (
            "the journal keeps everything; look at uplink.url and that broker's access list",
            "the other addresses carry on; start this one, or correct uplink.url",
        )
        yield from by_address("centre", answers, mends, f"as box {box}")
        key_file = uplink.command_key_file
        if key_file is None or read_key(key_file, "uplink.command_key_file") is None:
            yield DoctorFinding("ok", "centre", "its staff are not obeyed here: uplink.command_key_file has no key")


def differences(settings: "Settings") -> Iterator[DoctorFinding]:
    """Stations of ours of which a box has other lines: ours hold, and somebody should know."""
    from config.files import LIST_BYTES, UnusableFileError, read_bytes
    from config.sites import path_of, read_site, site_of

    for station in settings.stations:
        if station.id in settings.owners:
            continue
        try:
            site = read_site(read_bytes(path_of(settings.store.path, station.id), "site", LIST_BYTES))
        except (UnusableFileError, ValueError):
            continue
        theirs, ours = _lines(site.station), _lines(read_site(site_of(settings, station, site.box, None)).station)
        unlike = sorted(
            {name for what, name in theirs.keys() | ours if theirs.get((what, name)) != ours.get((what, name))}
        )
        if unlike:
            text = f"{station.id}: box {site.box} and we differ in {', '.join(unlike[:5])}; ours holds"
            yield DoctorFinding("warn", "boxes", text)


def _lines(station: "StationSettings") -> dict[tuple[str, str], Any]:
    """What a station says, by option of its own, by area and by resource."""
    told = station.model_dump(mode="json", exclude_defaults=True)
    areas = told.pop("areas", [])
    items = [item for area in areas for item in area.pop("resources", [])]
    lines = {("option", name): value for name, value in told.items()}
    return lines | {("area", area["id"]): area for area in areas} | {("resource", item["id"]): item for item in items}
