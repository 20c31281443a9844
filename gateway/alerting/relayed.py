"""Deeds between a box and its centre: what is said to the other, and what we have of what the other says."""

import msgspec

from gateway.alerting.deeds import ON_ORDERS, Deed, DeedError
from gateway.alerting.twins import Twins
from gateway.commands.errands import CENTRE


def onward(twins: Twins, deed: Deed) -> Deed:
    """The same for another machine, to be asked for before it is carried out here."""
    find = twins.about_order if deed.do in ON_ORDERS else twins.about_alert
    by = deed.by if deed.told_by in ("", CENTRE) else f"{deed.by}@{deed.told_by}"
    return msgspec.structs.replace(deed, by=by, about=find(deed.target) or deed.about, link=None)


def ours(twins: Twins, deed: Deed) -> Deed:
    """What was done elsewhere, with our name of the alert or order. DeedError where there is none."""
    if not deed.target or deed.do in ("report", "retry"):
        return deed
    on_order = deed.do in ON_ORDERS
    twin = (twins.order if on_order else twins.alert)(deed.station, deed.target, deed.about)
    if twin is None and deed.do != "assign":
        raise DeedError(f"there is no such {'order' if on_order else 'alert'} here")
    return msgspec.structs.replace(deed, target=twin.id if twin is not None else "")
