"""The OCPI side of a running API: one for all its parts."""

from api.context import ApiContext
from api.derived import Derived
from api.feeds.shared.configured import Configured
from api.late_routes import Routes
from api.ocpi.partners import PartnerBook, partner_name
from api.ocpi.push import Push
from api.ocpi.routes import router
from api.ocpi.sender import Locations
from api.outward_use import OutwardUse
from gateway.base.mishaps import Mishaps


class OcpiSide:
    """`start` and `stop` it on the thread of the live view; partners are told in between."""

    def __init__(self, context: ApiContext, mishaps: Mishaps, use: OutwardUse) -> None:
        self._context, partners = context, PartnerBook(context.settings.store.path)
        self.locations = locations = Locations(Derived(context.running.settings, Configured))

        def used(partner: str) -> None:
            use.used(partner_name(partner), context.now())

        self._push = Push(lambda: context.settings, partners, locations, context.now, mishaps, used)
        self.routes: Routes = router(context, partners, locations, used)

    def start(self) -> None:
        for entry in self._context.view.fed():  # one that nobody spoke of yet is no news
            self._push.heard(entry)
        self._context.view.listeners.append(self._push.heard)
        self._push.start()

    def stop(self) -> None:
        self._push.end()
