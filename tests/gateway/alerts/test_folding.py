from dataclasses import replace
from itertools import product

import pytest

from gateway.alerts.facts import own
from gateway.model import Resource, axes_of
from tests.gateway.alerts.world import LIVE, OFFLINE, STALE, T0, TTL, World, seat

HEARTBEAT = TTL // 3
FORTY = [seat(number) for number in range(40)]


def run_heartbeats(world: World, devices: list[Resource], start: int, end: int) -> None:
    """Each device speaks every heartbeat at a phase of its own, and goes stale a ttl after its last word."""
    phase = {device.device: index * HEARTBEAT // len(devices) for index, device in enumerate(devices)}
    moments = [
        (when, device)
        for device in devices
        for when in range(start - start % HEARTBEAT + phase[device.device], end, HEARTBEAT)
        if start <= when < end
    ]
    for when, device in sorted(moments, key=lambda moment: moment[0]):
        world.until(when)
        world.hear(device)
        if world.axes[device.id] is not LIVE:
            world.become(LIVE, device)
    world.until(end)


def go_stale(world: World, devices: list[Resource]) -> None:
    for device in sorted(devices, key=lambda device: world.last[device.station, device.device]):
        world.until(world.last[device.station, device.device] + TTL)
        world.become(STALE, device, cause="silence")


def test_a_dead_router_with_forty_devices_is_one_alert_within_two_heartbeats_and_its_return_is_one() -> None:
    world = World(FORTY)
    died = T0 + 10 * HEARTBEAT
    run_heartbeats(world, FORTY, T0, died)
    go_stale(world, FORTY)
    assert world.lines() == ["station_offline yanshan opened"]
    assert world.said[0].at - died <= 2 * HEARTBEAT + 10_000
    world.wait(3600)
    back = world.now
    run_heartbeats(world, FORTY, back, back + 10 * HEARTBEAT)
    told = [line for line in world.lines() if "escalated" not in line and "reminded" not in line]
    assert told == ["station_offline yanshan opened", "station_offline yanshan closed"]


def test_last_wills_of_forty_devices_are_one_alert() -> None:
    world = World(FORTY)
    for device in FORTY:
        world.wait(0.2)
        world.become(OFFLINE, device, cause="last will")
    world.wait(300)
    assert world.lines() == ["station_offline yanshan opened"]


def test_one_dead_device_among_talking_ones_is_its_own_alert() -> None:
    world = World(FORTY)
    dead, *others = FORTY
    run_heartbeats(world, others, T0, T0 + TTL)
    world.become(STALE, dead, cause="silence")
    run_heartbeats(world, others, T0 + TTL, T0 + 2 * TTL)
    assert world.lines() == [f"device_silent {dead.id} opened"]


def test_a_device_whose_connection_flaps_each_five_seconds_for_an_hour_is_at_most_two_messages() -> None:
    world = World(FORTY)
    shaky, *others = FORTY
    for _ in range(360):
        world.become(OFFLINE, shaky, cause="last will")
        run_heartbeats(world, others, world.now, world.now + 5000)
        world.hear(shaky)
        world.become(LIVE, shaky)
        run_heartbeats(world, others, world.now, world.now + 5000)
    run_heartbeats(world, FORTY, world.now, world.now + 3_600_000)
    assert world.lines() == [f"device_silent {shaky.id} opened", f"device_silent {shaky.id} closed"]


@pytest.mark.parametrize(("silent", "offline"), [(79, False), (80, True)])
def test_a_station_is_offline_when_four_fifths_of_it_are_silent(silent: int, offline: bool) -> None:
    hundred = [seat(number) for number in range(100)]
    world = World(hundred)
    run_heartbeats(world, hundred[silent:], T0, T0 + TTL)
    world.become(STALE, *hundred[:silent], cause="silence")
    run_heartbeats(world, hundred[silent:], T0 + TTL, T0 + 2 * TTL)
    assert ("station_offline yanshan opened" in world.lines()) is offline


def test_a_single_device_station_needs_no_peers() -> None:
    world = World(FORTY[:1])
    go_stale(world, FORTY[:1])
    world.wait(11)
    assert world.lines() == ["device_silent seat-00 opened"]


def test_who_speaks_once_a_day_does_not_hold_up_the_alert_about_a_seat() -> None:
    aed = replace(seat(1, "safety"), ttl_ms=90_000_000)
    world = World([FORTY[0], aed])
    go_stale(world, FORTY[:1])
    world.wait(11)
    assert world.lines() == ["device_silent seat-00 opened"]


def test_a_blip_shorter_than_the_delays_says_nothing() -> None:
    world = World(FORTY)
    world.become(OFFLINE, *FORTY, cause="last will")
    world.wait(5)
    world.hear(*FORTY)
    world.become(LIVE, *FORTY)
    world.wait(3600)
    assert world.lines() == []


def test_who_does_not_come_back_with_the_site_is_told_apart_after_a_grace() -> None:
    world = World(FORTY)
    world.become(OFFLINE, *FORTY, cause="last will")
    world.wait(60)
    lost, *others = FORTY
    run_heartbeats(world, others, world.now, world.now + 5 * TTL)
    assert world.lines() == [
        "station_offline yanshan opened",
        "station_offline yanshan closed",
        f"device_silent {lost.id} opened",
    ]


def test_a_bridge_that_dies_is_one_alert_while_the_station_speaks() -> None:
    behind, beside = FORTY[:10], FORTY[10:]
    world = World(FORTY)
    world.bridges |= {("yanshan", device.device): "box-1" for device in behind}
    world.restart()
    run_heartbeats(world, FORTY, T0, T0 + TTL)
    last = dict(world.last)
    died = world.now
    while world.now < died + 2 * TTL:
        run_heartbeats(world, beside, world.now, world.now + 1000)
        gone = [device for device in behind if last["yanshan", device.device] + TTL <= world.now]
        world.become(STALE, *[device for device in gone if world.axes[device.id] is LIVE], cause="silence")
    assert world.lines() == ["bridge_offline box-1 opened"]


@pytest.mark.parametrize("trouble", ["broker_lost", "store_failing"])
def test_our_own_trouble_never_alerts_as_equipment_failure(trouble: str) -> None:
    world = World(FORTY)
    world.learn(own(trouble, world.now, True, "gateway", "connection refused"))
    world.wait(TTL / 1000)
    world.become(STALE, *FORTY, cause="silence")
    world.wait(600)
    world.learn(own(trouble, world.now, False, "gateway"))
    world.wait(30)
    run_heartbeats(world, FORTY, world.now, world.now + 2 * TTL)
    assert world.lines() == [f"{trouble} gateway opened", f"{trouble} gateway closed"]


def test_a_device_that_died_during_our_trouble_is_told_once_it_had_a_ttl_to_speak() -> None:
    world = World(FORTY)
    world.learn(own("broker_lost", world.now, True, "gateway"))
    world.wait(TTL / 1000)
    world.become(STALE, *FORTY, cause="silence")
    world.learn(own("broker_lost", world.now, False, "gateway"))
    dead, *others = FORTY
    run_heartbeats(world, others, world.now, world.now + 3 * TTL)
    assert [line for line in world.lines() if "device" in line] == [f"device_silent {dead.id} opened"]


def test_a_site_with_an_aed_is_told_although_it_is_closed() -> None:
    aed = seat(1, "safety")
    world = World([*FORTY, aed])
    shut = axes_of("active", "ok", "closed", "free", "live")
    world.become(shut, *FORTY)
    world.become(axes_of("active", "ok", "closed", "free", "offline"), *FORTY, aed, cause="last will")
    world.wait(60)
    assert world.lines() == ["station_offline yanshan opened"]


def test_a_closed_site_without_one_is_told_when_it_opens() -> None:
    world = World(FORTY)
    world.become(axes_of("active", "ok", "closed", "free", "offline"), *FORTY)
    world.wait(36_000)
    assert world.lines() == []
    world.become(OFFLINE, *FORTY, cause="hours")
    world.wait(11)
    assert world.lines() == ["station_offline yanshan opened"]


AED_DAILY = replace(seat(1, "safety"), ttl_ms=90_000_000)
SITES = {"seats": FORTY[:5], "seats and an AED that reports daily": [*FORTY[:5], AED_DAILY], "behind a box": FORTY[:5]}
STEPS = ("will", "online", "speech", "pause", "restart")


def take(world: World, step: str) -> None:
    """One step of a site's past. A device that speaks is live again whether it said `online` before or not."""
    speakers = [
        resource for resource in world.resources if resource is not AED_DAILY or world.axes[resource.id] is not LIVE
    ]
    if step == "will":
        world.become(OFFLINE, *world.resources, cause="last will")
    elif step in ("online", "speech"):
        world.hear(*speakers)
        world.become(LIVE, *speakers, cause="availability" if step == "online" else "message")
    elif step == "pause":
        world.wait(20)
    else:
        world.restart()
    world.wait(3)


@pytest.mark.parametrize("site", SITES)
def test_a_site_that_falls_silent_is_one_open_alert_whatever_came_before(site: str) -> None:
    told = {past: told_of_an_outage_after(past, site) for past in product(STEPS, repeat=4)}
    assert {past: kinds for past, kinds in told.items() if kinds != ["station_offline"]} == {}


def told_of_an_outage_after(past: tuple[str, ...], site: str) -> list[str]:
    """What is open two ttls after the site fell silent for good."""
    world = World(SITES[site])
    if site == "behind a box":
        world.bridges |= {("yanshan", resource.device): "box-1" for resource in world.resources}
        world.restart()
    for step in past:
        take(world, step)
    often = [resource for resource in world.resources if resource is not AED_DAILY and world.axes[resource.id] is LIVE]
    begin = world.now
    go_stale(world, often)
    world.until(begin + 2 * TTL + 60_000)
    return [alert.kind for alert in world.core.desk.open_alerts()]


@pytest.mark.parametrize("how", ["it came back", "closed by hand"])
def test_the_second_outage_of_a_site_with_an_aed_is_told_like_the_first(how: str) -> None:
    world = World([*FORTY[:5], AED_DAILY])
    for _ in range(3):
        world.become(OFFLINE, *world.resources, cause="last will")
        world.wait(60)
        [alert] = world.core.desk.open_alerts()
        if how == "closed by hand":
            world.said += world.core.desk.close(alert.id, "li", world.now)
        world.hear(*world.resources)
        world.become(LIVE, *world.resources)
        run_heartbeats(world, FORTY[:5], world.now, world.now + 3 * TTL)
    assert world.lines().count("station_offline yanshan opened") == 3
