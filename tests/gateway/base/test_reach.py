"""Which addresses are public."""

import pytest

from gateway.base.reach import UnreachableError, is_public, public_addresses


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "2002:5db8:d822::1"])
def test_an_address_of_the_public_web_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
    ],
)  # fmt: skip
def test_an_address_that_leads_inward_is_not_however_it_is_written(address: str) -> None:
    assert not is_public(address)


def test_a_host_inside_is_refused_unless_that_is_meant() -> None:
    with pytest.raises(UnreachableError, match="allow_private: true"):
        public_addresses("127.0.0.1", 80, allow_private=False)
    assert public_addresses("127.0.0.1", 80, allow_private=True) == [("127.0.0.1", 80)]
