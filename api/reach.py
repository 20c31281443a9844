"""Which stations a key reaches: regions are named by their path, 江苏/南京/鼓楼区, since names repeat.

A region that stands at the top is written with a slash before it (`/江苏`) where its name alone could be taken for
another. In a file of keys an older version wrote bare names: they hold while just one region has that name.
"""

from collections.abc import Iterable

Path = tuple[str, ...]


class RegionError(ValueError):
    """A region that is not in the configuration, or could be several; the text names them."""


def regions_of(stations: Iterable[Iterable[str]]) -> frozenset[Path]:
    """Every region of these stations' region paths, as a path from the top."""
    paths = [tuple(path) for path in stations]
    return frozenset(path[:depth] for path in paths for depth in range(1, len(path) + 1))


def written(path: Path) -> str:
    """The path as a key holds it: never without a slash."""
    return "/".join(path) if len(path) > 1 else "/" + "/".join(path)


def resolve(name: str, known: Iterable[Path]) -> str:
    """The one region that is meant by a path, or by the end of one, as `written`. RegionError names the candidates."""
    asked = tuple(part.strip() for part in name.split("/"))
    regions = set(known)
    if name.startswith("/"):
        candidates = [asked[1:]] if asked[1:] in regions else []
    else:
        candidates = sorted(path for path in regions if path[-len(asked) :] == asked)
    if not candidates:
        raise RegionError(f"no station of the configuration is in the region {name}")
    if len(candidates) > 1:
        raise RegionError(f"{name} could be any of {', '.join(map(written, candidates))}; write one of these")
    return written(candidates[0])


def within(region: Iterable[str], reach: str) -> bool:
    """Whether a station's region path lies in a region as `written`. A bare name reaches nothing."""
    path = tuple(reach.removeprefix("/").split("/"))
    return "/" in reach and tuple(region)[: len(path)] == path


def still_meant(name: str, known: Iterable[Path]) -> str:
    """A region of a stored key: a path as it is, a bare name as the one region that has it, or nowhere."""
    if "/" in name:
        return name
    try:
        return resolve(name, known)
    except RegionError:
        return name
