"""What a centre's metrics say of its boxes: all that the boxes page says, too."""

from gateway.live.box_lines import BoxLine, BoxWord
from gateway.runtime.metrics import of_boxes

TOLD = BoxWord("yanshan-box", "online", "0.9.0", None, 7, 812, 41_000, 2, 17, 301, 0)


def test_every_figure_of_a_box_is_a_metric() -> None:
    line = BoxLine("yanshan-box", True, 0, 60_000, TOLD, 300, ["yanshan"])
    samples = {sample.name: (sample.labels, sample.value) for family in of_boxes([line]) for sample in family.samples}
    values = {name.removeprefix("yizhan_box_"): value for name, (_, value) in samples.items()}
    assert values == {
        "up": 1.0, "last_seen_seconds": 60.0, "backlog": 7, "clock_off_seconds": 0.3, "disk_days": 812, "walls": 2,
        "config_version": 17, "certificate_days": 301, "version": 1.0,
    }  # fmt: skip
    assert samples["yizhan_box_version"][0] == {"box": "yanshan-box", "version": "0.9.0"}


def test_a_box_that_has_told_nothing_has_no_figure_that_it_would_tell() -> None:
    line = BoxLine("new-box", False, 0, 0, None, None, [])
    samples = {sample.name for family in of_boxes([line]) for sample in family.samples}
    assert samples == {"yizhan_box_up", "yizhan_box_last_seen_seconds"}
