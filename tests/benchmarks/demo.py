"""From the command to the first live value of the demo, and until the week before is there."""

from pathlib import Path
from time import monotonic

from api.commands.demo_past import FOLDER
from tests.e2e.rig import Yizhan, free_port, get, resource
from tests.patience import until


def demo_s(folder: Path) -> tuple[float, float]:
    """Seconds until a seat of the demo's first station is live in its document, and until its past is whole."""
    http, mqtt = free_port(), free_port()
    begin = monotonic()
    words = ("--http", f"127.0.0.1:{http}", "--mqtt", f"127.0.0.1:{mqtt}", "--data", str(folder / "data"))
    with Yizhan(folder, "demo", *words) as demo:
        until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["evidence"] == "live")
        live_s = monotonic() - begin
        until((folder / "data" / FOLDER).exists, patience_s=600, pause_s=0.1)
        past_s = monotonic() - begin
        demo.stop()
    return live_s, past_s
