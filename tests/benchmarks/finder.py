"""What `/m` costs the server with 2,000 stations, in processor time a question: `python -m tests.benchmarks.finder`."""

import json
import time

from api.live_view import Entry
from api.pages import PagePlace
from api.pages.assets import Assets
from api.pages.find.page import FindPage, FindQuestion
from api.pages.find.ranking import Wish
from api.wire_documents import read
from gateway.base.clock import now_ms
from gateway.live.station_document import encoded
from tests.e2e.pages.scenes import TTL_MS, crowd, document

STATIONS, TIMES = 2000, 10
WISHES = {
    "all": Wish(),
    "a seat near me": Wish("seat", near=(22.77, 113.05)),
    "an e-bike pile, by name": Wish("charger:ebike", ("雁",)),
}


def main() -> None:
    now = now_ms()
    scenes = crowd(STATIONS).values()
    places = {
        scene.id: PagePlace(
            scene.id, {"zh": scene.zh}, region=scene.region, lat=scene.lat, lon=scene.lon, words=scene.zh
        )
        for scene in scenes
    }
    bodies = [json.dumps(document(scene, now, TTL_MS, True)).encode() for scene in scenes]
    standings = [Entry(encoded(read(body), now), 0) for body in bodies]
    page = FindPage(Assets(), places, lambda: standings)
    for name, wish in WISHES.items():
        began = time.process_time()
        for _ in range(TIMES):
            page.told(FindQuestion(wish), standings, "zh-Hans", now)
        print(f"{name}: {(time.process_time() - began) / TIMES * 1000:.0f} ms")


if __name__ == "__main__":
    main()
