"""From the command to the first live value of the demo."""

from pathlib import Path
from time import monotonic

from tests.e2e.rig import Yizhan, free_port, get, resource
from tests.patience import until


def first_live_s(folder: Path) -> float:
    """Seconds until a seat of the demo's first station is live in its document."""
    http, mqtt = free_port(), free_port()
    begin = monotonic()
    words = ("--http", f"127.0.0.1:{http}", "--mqtt", f"127.0.0.1:{mqtt}", "--data", str(folder / "data"))
    with Yizhan(folder, "demo", *words) as demo:
        until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["evidence"] == "live")
        took_s = monotonic() - begin
        demo.stop()
    return took_s
