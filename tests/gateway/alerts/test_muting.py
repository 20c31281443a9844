"""What a device feeds, where that is another resource than the one of its own name."""

from gateway.alerts.muting import Mutes
from gateway.model import Resource


def resource(name: str, device: str) -> Resource:
    return Resource("yanshan", "yard", name, "charger", device, "ebike")


def fed(mutes: Mutes, device: str) -> list[str]:
    return sorted(resource.id for resource in mutes.of_device("yanshan", device))


def test_a_device_feeds_every_resource_that_names_it_and_no_other() -> None:
    pile, left, right = resource("pile", "pile"), resource("left", "pile"), resource("right", "box")
    misnamed = resource("box", "elsewhere")
    mutes = Mutes([left, pile, right, misnamed], frozenset(), lambda _: False)
    assert fed(mutes, "pile") == ["left", "pile"]
    assert fed(mutes, "box") == ["right"]
    assert fed(mutes, "elsewhere") == ["box"]
    assert fed(mutes, "left") == []
    assert fed(mutes, "nobody") == []
