"""Who answers, who has fallen silent, who never spoke."""

from firmware_bridge.devices.readers import CardReader
from firmware_bridge.door import Door, Rules
from firmware_bridge.presence import Presence


def test_a_device_is_online_from_its_first_word_and_offline_after_its_silence() -> None:
    presence = Presence()
    assert presence.heard(["a"], 0, 1_000)
    assert not presence.heard(["a"], 500, 1_000)
    assert presence.take_changed() == {"a": True}
    presence.tick(1_499)
    assert presence.take_changed() == {}
    presence.tick(1_500)
    presence.tick(9_000)
    assert presence.take_changed() == {"a": False}
    presence.heard(["a"], 9_001, 1_000)
    assert presence.take_changed() == {"a": True}


def test_a_configured_device_that_never_speaks_is_told_offline_once() -> None:
    presence = Presence()
    presence.expect(["a", "b"], 0, 1_000)
    presence.again()
    assert presence.take_changed() == {}  # nothing is known yet
    presence.heard(["b"], 10, 5_000)
    presence.tick(1_000)
    assert presence.take_changed() == {"a": False, "b": True}
    assert presence.online() == ["b"]


def test_a_new_connection_is_told_everything_again() -> None:
    presence = Presence()
    presence.heard(["a", "b"], 0, 1_000)
    presence.lost(["b", "stranger"])
    presence.take_changed()
    presence.again()
    assert presence.take_changed() == {"a": True, "b": False}


def test_a_card_reader_without_cards_counts_as_there_while_its_port_is() -> None:
    reader = CardReader("door-1", Door("door-1", Rules()))
    reader.opened(0)
    assert [frame.devices for frame in reader.tick(0)[0]] == [("door-1",)]
    assert reader.tick(29_999) == ((), b"")
    assert reader.deadline() == 30_000
    assert reader.tick(30_000)[0]
