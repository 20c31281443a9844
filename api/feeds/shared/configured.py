"""What feeds ask of a configuration, made once for each (`api/derived`)."""

from config.schema import Settings
from gateway.policy.hours.configured import Openings


class Configured:
    """What one configuration says of stations and their hours."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stations = {station.id: station for station in settings.stations}
        self.hours = Openings(settings)
