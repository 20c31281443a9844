"""A page that runs for months: its memory stays flat, and it reloads itself when it should and a server is there."""

import json
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.e2e.pages.chromium import Chromium
from tests.e2e.pages.conftest import Server
from tests.e2e.pages.scenes import document, scenes

pytestmark = pytest.mark.browser

# Time, timers and the stream belong to the test: advance(ms) runs what is due, in order.
VIRTUAL = """
(() => {
  let now = 0, last = 0, stream = null;
  const born = Date.now(), timers = new Map();
  const add = (run, ms, every) => { timers.set(++last, { at: now + Math.max(1, ms || 0), run, every }); return last; };
  performance.now = () => now;
  Date.now = () => born + now;
  window.setTimeout = (run, ms) => add(run, ms, 0);
  window.setInterval = (run, ms) => add(run, ms, ms);
  window.clearTimeout = window.clearInterval = (id) => timers.delete(id);
  window.fetch = () => Promise.reject(new Error("no server in this test"));
  delete window.SharedWorker;
  window.EventSource = class extends EventTarget { constructor() { super(); stream = this; } close() {} };
  const iso = (ms) => new Date(ms).toISOString();
  const say = (name, data) => stream.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  window.beat = () => say("heartbeat", { time: iso(born + now) });
  window.tell = () => {
    const doc = structuredClone(window.template);
    doc.as_of = iso(born + now);
    doc.valid_until = iso(born + now + 180000);
    for (const r of doc.areas.flatMap((area) => area.resources)) {
      r.observed_at = doc.as_of;
            r.valid_until = doc.valid_until;
            r.evidence = Math.random() < .05 ? "stale" : "live";
      r.use = Math.random() < .5 ? "free" : "occupied";
      const known = r.use === "free" ? "yes" : "no";
            r.usable = r.evidence === "stale" ? "unknown" : known;
    }
    say("snapshot", doc);
  };
  window.advance = (ms) => {
    for (const end = now + ms; ;) {
      let due = null;
      for (const [id, timer] of timers)
        if (timer.at <= end && (!due || timer.at < due.timer.at)) due = { id, timer };
      if (!due) { now = end; return; }
      now = Math.max(now, due.timer.at);
      if (due.timer.every) due.timer.at = now + due.timer.every; else timers.delete(due.id);
      due.timer.run();
    }
  };
  window.live = (seconds) => {
    for (let s = 0; s < seconds; s += 5) {
      if (s % 30 === 0) tell();
      beat();
      advance(5000);
    }
  };
})();
"""


def growth_mb(chromium: Chromium, server: Server, hours: float) -> float:
    """By how much the heap of a screen grows in simulated hours, once it has settled."""
    template = json.dumps(document(scenes()["half"], 0))
    prepare = f"window.template = {template};{VIRTUAL}"
    with closing(chromium.open(server.url("/screen/half"), prepare=prepare)) as page:
        heap = "(gc(), performance.memory.usedJSHeapSize / 1e6)"
        page.run("live(600)", timeout_s=60)
        assert page.run("document.querySelectorAll('[data-usable=yes]').length") > 0
        before = page.run(heap)
        for _ in range(max(1, int(hours))):
            page.run(f"live({int(3600 * min(hours, 1))})", timeout_s=120)
        return float(page.run(heap)) - float(before)


@pytest.mark.slow
def test_the_heap_of_a_screen_is_flat_over_half_an_hour(chromium: Chromium, day: Server) -> None:
    assert growth_mb(chromium, day, 0.5) < 2


@pytest.mark.soak
def test_the_heap_of_a_screen_is_flat_over_a_day(chromium: Chromium, day: Server) -> None:
    assert growth_mb(chromium, day, 24) < 5


def test_a_page_of_an_older_build_reloads_itself(chromium: Chromium, day: Server) -> None:
    older = """document.addEventListener('readystatechange', () => {
        if (!sessionStorage.seen) document.documentElement.dataset.build = 'older';
        sessionStorage.seen = 1;
    }, {once: true})"""
    with closing(chromium.open(day.url("/screen/yanshan"), prepare=older)) as page:
        page.wait("sessionStorage.seen && document.documentElement.dataset.build !== 'older'")


def test_a_page_never_reloads_into_a_dead_server(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--ttl", "6")
    with closing(chromium.open(server.url("/screen/yanshan"))) as page:
        page.wait("document.querySelector('.hero') !== null")
        page.run("document.documentElement.dataset.mine = 'yes'; window.dispatchEvent(new ErrorEvent('error')); 0")
        server.kill()
        time.sleep(1)
        assert page.run("document.documentElement.dataset.mine") == "yes"
        assert page.run("document.querySelectorAll('[data-resource]').length") > 20


def test_two_screens_in_one_browser_have_two_names(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/yanshan"))) as first:
        first.wait("localStorage.getItem('yizhan:screen:used')")
        with closing(chromium.tab(first.context, day.url("/screen/half"))) as second:
            name = "sessionStorage.getItem('yizhan:screen')"
            assert first.run(name) != second.run(name)


@pytest.mark.soak
def test_two_thousand_stations_update_without_jank(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--stations", "2000", "--ttl", "15")
    watch = """window.long = [];
        new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => Math.round(entry.duration))))
            .observe({type: 'longtask'});"""
    with closing(chromium.open(server.url("/"), 1440, 900, prepare=watch)) as page:
        page.wait("document.querySelectorAll('.st').length === 2000", 20)
        time.sleep(10)
        page.run("long.length = 0")
        time.sleep(15)
        assert max(page.run("long"), default=0) < 200, "every document is renewed three times meanwhile"
