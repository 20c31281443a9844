"""Register maps: which register of a Modbus device is which signal. YAML files; ready ones are in `maps/`."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from config.files import UnusableFileError, read_text
from gateway.model import Signal

READY = Path(__file__).parent.parent / "maps"
READ_FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
WORDS = {"uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "float32": 2, "uint64": 4, "int64": 4}
MAX_WORDS = 64
MAX_GAP = 8  # registers in between that are read along rather than asked for separately


class Point(Struct, forbid_unknown_fields=True, frozen=True):
    """One register (or coil). `address` counts from 0: 40001 of a vendor's table is `holding` 0."""

    signal: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
    function: Literal["coil", "discrete", "holding", "input"]
    address: Annotated[int, Meta(ge=0, le=65_535)]
    type: Literal["uint16", "int16", "uint32", "int32", "float32", "uint64", "int64"] = "uint16"
    word_order: Literal["big", "little"] | None = None
    scale: float = 1.0
    offset: float = 0.0
    invert: bool = False
    bit: Annotated[int, Meta(ge=0, le=15)] | None = None
    values: dict[int, str | bool] | None = None
    below: float | None = None
    suffix: Annotated[str, Meta(pattern="^[a-z0-9-]{0,16}$")] = ""

    @property
    def words(self) -> int:
        return 1 if self.function in ("coil", "discrete") else WORDS[self.type]


class Relay(Struct, forbid_unknown_fields=True, frozen=True):
    """The coil that opens the lock: switched on, and off again by the board or by us."""

    coil: Annotated[int, Meta(ge=0, le=65_535)]


class RegisterMap(Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    source: str
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]
    word_order: Literal["big", "little"] = "big"
    gap_ms: Annotated[int, Meta(ge=0, le=5_000)] = 50
    relay: Relay | None = None


class Block(Struct, frozen=True):
    """One question: `count` registers or bits from `address`."""

    function: str
    address: int
    count: int
    points: tuple[Point, ...]


def load_map(path: Path) -> RegisterMap:
    """A map from its file, or the ready one of that name. ValueError names the file and what is wrong in it."""
    file = path if path.exists() else READY / path.name
    try:
        return msgspec.yaml.decode(read_text(file, "map").encode(), type=RegisterMap)
    except UnusableFileError as error:
        if not error.missing:
            raise
        ready = ", ".join(sorted(ready_map.name for ready_map in READY.glob("*.yaml")))
        raise ValueError(f"{path}: no such register map; ready ones are {ready}") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"{file}: {error}; docs/bridge.md has the words of a register map") from None


def blocks(register_map: RegisterMap) -> tuple[Block, ...]:
    """As few questions as bring all points."""
    made: list[Block] = []
    for point in sorted(register_map.points, key=lambda point: (READ_FUNCTIONS[point.function], point.address)):
        last = made[-1] if made else None
        end = point.address + point.words
        if last and last.function == point.function and _near(last, point):
            made[-1] = Block(
                last.function, last.address, max(last.count, end - last.address), (*last.points, point)
            )  # fmt: skip
        else:
            made.append(Block(point.function, point.address, point.words, (point,)))
    return tuple(made)


def _near(block: Block, point: Point) -> bool:
    size = point.address + point.words - block.address
    return size <= MAX_WORDS and point.address <= block.address + block.count + MAX_GAP


def value_of(point: Point, raw: float | bool) -> Signal | None:
    """A raw value as the signal's; None for a code that the map does not know."""
    if point.bit is not None:
        raw = bool(int(raw) >> point.bit & 1)
    if point.values is not None:
        return point.values.get(int(raw))
    if isinstance(raw, bool):
        return raw != point.invert
    scaled = raw * point.scale + point.offset
    if point.below is not None:
        return (scaled < point.below) != point.invert
    if scaled != scaled or abs(scaled) > 1e12:  # not a number: a meter says so while it starts
        return None
    return int(scaled) if point.scale == 1 and scaled == int(scaled) else round(scaled, 4)
