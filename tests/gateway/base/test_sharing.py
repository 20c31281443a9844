"""The names of shards: whose they are, and how many there are."""

import pytest

from gateway.base.sharing import shard_suffix, shards_by_name, share_of


@pytest.mark.parametrize(
    ("name", "share"),
    [("gateway-2of8", (2, 8)), ("gateway", None), ("roof2", None), ("house-of3", None), ("gateway-2of8-b", None)],
)
def test_the_share_stands_at_the_end_of_the_name(name: str, share: tuple[int, int] | None) -> None:
    assert share_of(name) == share
    if share is not None:
        assert name == "gateway" + shard_suffix(*share)


def test_of_many_names_those_of_one_gateway_and_its_shards_are_told() -> None:
    names = ["roof2", "roof2-1of4", "roof2-2of4", "roof2-b", "a-roof2", "roof2-b-1of2"]
    assert shards_by_name(names, "roof2") == {"roof2": 0, "roof2-1of4": 4, "roof2-2of4": 4}
